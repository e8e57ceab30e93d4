import dataclasses
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from torch import nn
from typer.testing import CliRunner

from apps.commands import models
from core import weights
from core.blocks import Conv
from core.errors import InputError
from core.registry import ARCHITECTURES, Architecture
from domains.image.zoo.config import ImageConfig

CARD = weights.Card(
    name="tiny",
    domain="text",
    architecture="text-cnn",
    config={
        "vocabulary": 100,
        "dimensions": 10,
        "widths": [3, 4],
        "filters": 5,
        "classes": 3,
    },
    labels=["negative", "neutral", "positive"],
    preprocessing={"tokens": "domains.text.tokens"},
    description="says [bold]yes[/bold] or no",
    data=[{"name": "sst"}],
    licence="MIT",
    command="receptive text train --arch text-cnn",
    metrics={
        "epoch": 3,
        "sst3": {"accuracy": 0.9, "macro_recall": 0.6176, "recall": {"a": 1, "b": 1, "c": 0}},
        "sst2": {"accuracy": 0.875, "macro_recall": 0.87, "recall": {"a": 1, "b": 0.75}},
    },
)


@pytest.fixture(autouse=True)
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("tiny", "other"):
        card = dataclasses.replace(CARD, name=name)
        weights.save(card, {"w": np.zeros(250_000, np.float32)}, tmp_path, {})
    monkeypatch.setattr(models, "weight_folders", lambda: {"text": tmp_path})
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    ended = CliRunner(env={"COLUMNS": "120"}).invoke(models.app, arguments)
    if isinstance(ended.exception, InputError):
        raise ended.exception
    return ended.exit_code, ended.stdout, ended.stderr


@pytest.mark.parametrize("arguments", [[], ["list"]])
def test_list_is_a_line_a_model(arguments: list[str]) -> None:
    code, printed, _ = run(*arguments)
    lines = [line.split() for line in printed.splitlines() if "text-cnn" in line]
    assert code == 0
    assert [line[0] for line in lines] == ["other", "tiny"]
    assert lines[0][1:] == ["text", "text-cnn", "1.0", *["sst3:", "macro", "recall", "61.8", "%"]]
    assert "sst2: accuracy 87.5 %" in printed


def test_list_as_json() -> None:
    _, printed, _ = run("list", "--format", "json")
    assert [card["name"] for card in json.loads(printed)] == ["other", "tiny"]


def test_list_tells_of_a_missing_file(released: Path) -> None:
    (released / "tiny.safetensors").unlink()
    assert "no tiny.safetensors" in run("list")[1]


def test_show_prints_the_card_and_the_layers() -> None:
    _, printed, _ = run("show", "tiny")
    assert "says [bold]yes[/bold] or no" in printed
    assert "receptive text train --arch text-cnn" in printed
    assert "accuracy" in printed
    assert next(line for line in printed.splitlines() if line.startswith(" total"))


@pytest.mark.parametrize("columns", ["20", "80"])
def test_no_number_is_cut_or_folded(released: Path, columns: str) -> None:
    config = CARD.config | {"vocabulary": 1_000_000, "dimensions": 300}
    weights.save(dataclasses.replace(CARD, config=config), {}, released, {})
    ended = CliRunner(env={"COLUMNS": columns}).invoke(models.app, ["show", "tiny"])
    assert "300,000,000" in ended.stdout and "multiply-adds" in ended.stdout
    assert "embedding.tables.0" in ended.stdout
    assert "…" not in ended.stdout


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX terminal")
@pytest.mark.parametrize("columns", [20, 80])
def test_no_number_is_cut_on_a_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    import termios

    terminal, end = os.openpty()
    termios.tcsetwinsize(end, (24, columns))
    with open(end, "w", closefd=False) as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        models._print_table(("layer", "parameters"), [("a long name " * 9, "1,234,567,890,123")])
    os.close(end)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert "1,234,567,890,123" in shown
    assert shown.count("long") == 9


@pytest.mark.parametrize("arguments", [["show", "tiny"], ["list"], ["list", "--format=markdown"]])
def test_what_a_card_says_is_shown_escaped(released: Path, arguments: list[str]) -> None:
    card = dataclasses.replace(
        CARD, description="\x1b[2J", metrics={"\x1b[2J": {"macro_recall": 0.875}}
    )
    weights.save(card, {}, released, {})
    printed = run(*arguments)[1]
    assert "\x1b" not in printed and r"\x1b[2J" in printed


def test_show_as_json_counts_the_parameters_by_hand() -> None:
    _, printed, _ = run("show", "tiny", "--format", "json")
    shown = json.loads(printed)
    assert shown["licence"] == "MIT"
    assert shown["files"].keys() == {"tiny.safetensors"}
    embedding, convolutions, head = 100 * 10, (3 * 10 * 5 + 5) + (4 * 10 * 5 + 5), 10 * 3 + 3
    assert shown["layers"][-1]["name"] == "total"
    assert shown["layers"][-1]["parameters"] == embedding + convolutions + head


def test_show_takes_the_path_of_a_card(released: Path) -> None:
    assert json.loads(run("show", str(released / "tiny.toml"), "--format", "json")[1])["layers"]


def test_show_of_an_unknown_model_lists_the_known() -> None:
    with pytest.raises(InputError, match=r"no model called 'huge'.*known: other, tiny"):
        run("show", "huge")


def test_show_refuses_a_domain_that_is_none(released: Path) -> None:
    weights.save(dataclasses.replace(CARD, domain="os.path"), {}, released, {})
    with pytest.raises(InputError, match=r"there is no domain 'os\.path'"):
        run("show", "tiny")


def test_show_of_an_architecture_is_the_slide() -> None:
    code, printed, _ = run("show", "alexnet")
    lines = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line.split()}
    assert code == 0
    assert lines["architecture"] == ["alexnet"]
    assert lines["conv1.conv"] == [
        "Conv2d", "96x55x55", "96", "11x11", "4x4", "0x0", "34,944", "105,415,200", "11x11",
    ]  # fmt: skip
    assert lines["pool1"] == ["MaxPool", "96x27x27", "3x3", "2x2", "0x0", "0", "0", "19x19"]
    assert lines["fc8.linear"] == ["Linear", "1000", "4,097,000", "4,096,000", "227x227"]
    assert lines["total"][0] == "62,378,344"


def test_show_on_an_input_of_another_volume() -> None:
    shown = json.loads(run("show", "lenet5", "--input", "3x28x28", "--format", "json")[1])
    assert shown["config"] == {"classes": 10, "channels": 3, "size": 28}
    first = shown["layers"][0]
    assert (first["output_shape"], first["parameters"]) == ([6, 28, 28], 6 * (3 * 25 + 1))


def test_show_of_a_released_model_on_another_input(released: Path) -> None:
    config = {"classes": 10, "channels": 1, "size": 28}
    card = dataclasses.replace(
        CARD, name="tiny", domain="text", architecture="keras-mnist", config=config
    )
    weights.save(card, {}, released, {})
    own, larger = (
        json.loads(run("show", "tiny", "--format", "json", *volume)[1])["layers"]
        for volume in ([], ["--input", "1x32x32"])
    )
    assert [row["output_shape"] for row in own[:2]] == [[25, 26, 26], [25, 13, 13]]
    assert [row["output_shape"] for row in larger[:2]] == [[25, 30, 30], [25, 15, 15]]


@pytest.mark.parametrize(
    "name", ["alphago", "keras-cifar", "vnet", "speech-resnet", "text-cnn", "rnn"]
)
def test_show_of_each_domains_architectures(name: str) -> None:
    layers = json.loads(run("show", name, "--format", "json")[1])["layers"]
    assert layers[-1]["parameters"] == sum(row["parameters"] for row in layers[:-1]) > 10_000


@pytest.mark.parametrize(
    ("name", "volume", "message"),
    [
        ("alexnet", "3x64x64", "a picture of 64x64 is too small: layer pool3 doesn't fit on 256x2"),
        ("alexnet", "3x64x65", "alexnet takes 3x227x227, not 3x64x65"),
        ("alexnet", "3x0x0", "size cannot be 0"),
        ("alphago", "3x9x9", "alphago takes 48x9x9, not 3x9x9"),
        ("speech-resnet", "1x40x50", "speech-resnet takes 1x40x98, not 1x40x50"),
        ("tiny", "3x32x32", "text-cnn takes 20, not 3x32x32"),
        ("narrowing", "1x9x9", "narrowing: layer 1.conv doesn't fit on 2x3x3"),
    ],
)
def test_what_does_not_fit_is_one_line(
    name: str, volume: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def narrowing(config: ImageConfig) -> nn.Module:
        return nn.Sequential(Conv(config.channels, 2, 7), Conv(2, 2, 5))

    made = Architecture("narrowing", ImageConfig, narrowing)
    monkeypatch.setitem(ARCHITECTURES, "narrowing", made)
    with pytest.raises(InputError) as error:
        run("show", name, "--input", volume)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("volume", ["3", "3x4", "3by4by5", "-1x2x2", "3x224x", "3x1e3x4", ""])
def test_what_is_no_volume_is_wrong_usage(volume: str) -> None:
    code, printed, errors = run("show", "alexnet", f"--input={volume}")
    assert (code, printed) == (2, "")
    assert "is no volume, such as" in errors


def test_show_of_an_unknown_name_lists_the_architectures_too() -> None:
    with pytest.raises(InputError, match=r"known: other, tiny; architectures: .*vgg16, .*zfnet"):
        run("show", "huge")


def test_verify_of_whole_models() -> None:
    assert run("verify") == (0, "other: ok\ntiny: ok\n", "")


def test_verify_names_what_is_broken_and_goes_on(released: Path) -> None:
    (released / "other.safetensors").write_bytes(b"broken")
    code, printed, errors = run("verify")
    assert code == 1
    assert printed == "other: failed\ntiny: ok\n"
    assert errors.startswith("receptive: error: ")
    assert "other.safetensors: sha256 is" in errors
    assert run("verify", "tiny") == (0, "tiny: ok\n", "")


def test_verify_of_an_unknown_model() -> None:
    code, printed, errors = run("verify", "huge", "tiny")
    assert (code, printed) == (1, "huge: failed\ntiny: ok\n")
    assert "no model called 'huge'" in errors
