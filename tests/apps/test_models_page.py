"""The Models page without a browser: released cards, own ones, architectures and training runs."""

import dataclasses
import json
import os
import re
import shutil
import time

import numpy as np
import pyarrow.ipc
import pytest
import streamlit
from streamlit.testing.v1 import AppTest

import apps
from apps.layers import networks
from apps.models.runs import EXAMPLES
from core import weights
from domains import weight_folders

HOME = f"{apps.__path__[0]}/home.py"
RELEASED = sorted(path.stem for f in weight_folders().values() for path in f.glob("*.toml"))
HOSTILE = "<script>alert(1)</script> **bold** $x^2$ :smile: [a](http://b)"
CARD = weights.Card(
    name="mine",
    domain="text",
    architecture="text-cnn",
    config={"vocabulary": 100, "dimensions": 10, "widths": [3], "filters": 5, "classes": 2},
    labels=["bad", "good"],
    preprocessing={"max_words": 50},
    description=HOSTILE,
    data=[{"file": HOSTILE, "weight": 1.5}],
    licence=HOSTILE,
    command="receptive text train --out mine",
    metrics={
        "epochs": 3,
        "minutes": 0.25,
        HOSTILE: {"accuracy": 0.75, "recall": {HOSTILE: 0.5, "good": 1}, "note": HOSTILE},
    },
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where runs are looked for."""
    streamlit.cache_data.clear()
    monkeypatch.setenv("RECEPTIVE_RUNS", str(tmp_path))
    return tmp_path


def opened(**query):
    page = AppTest.from_file(HOME, default_timeout=120).run()
    page.switch_page("pages/models.py")
    for key, value in query.items():
        page.query_params[key] = value
    return page.run()


def own_model(folder, card=CARD):
    """A model and its run's folder, as a training leaves them."""
    card = weights.save(card, {"w": np.zeros(250_000, np.float32)}, folder, {})
    (run := folder / "mine.run" / "0123456789ab").mkdir(parents=True)
    log(run, 2)
    return card


def log(run, epochs, **more):
    """Ten steps an epoch, then a validation."""
    lines = []
    for epoch in range(epochs):
        for step in range(10 * epoch, 10 * epoch + 10):
            rate = {"lr": 0.1, "examples_per_second": 50}
            lines.append({"step": step, "epoch": epoch, "loss": 2 / (step + 1), **rate})
        lines.append({"epoch": epoch, "accuracy": 1 - 0.5 / (epoch + 1), **more})
    run.mkdir(parents=True, exist_ok=True)
    (run / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def html(page):
    return "".join(element.proto.body for element in page.get("html"))


def marked_up(page):
    """Whatever on the page is read as Markdown or HTML."""
    kinds = (*page.markdown, *page.caption, *page.info, *page.error, *page.success)
    metrics = [f"{metric.label} {metric.help}" for metric in page.metric]
    return " ".join([html(page), *(element.value for element in kinds), *metrics])


def texts(page):
    return [text.value for text in page.text]


def charts(page):
    """The rows of each chart."""
    return [
        pyarrow.ipc.open_stream(chart.proto.datasets[0].data.data).read_all().to_pylist()
        for chart in page.get("vega_lite_chart")
    ]


def table_with(page, column):
    return next(table.value for table in page.dataframe if column in table.value)


# --- cards ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RELEASED)
def test_every_released_card_is_a_page(name):
    page = opened(model=name)
    assert not page.exception
    assert not page.error
    assert page.selectbox(key="model").value == name
    labels = [metric.label for metric in page.metric]
    assert labels[1:] == ["Parameters", "Size", "Training"]
    assert "%" in page.metric[0].value and "MB" in page.metric[2].value
    parameters = table_with(page, "parameters")["parameters"]
    assert page.metric[1].value == f"{parameters.iloc[-1]:,}"
    assert parameters.iloc[-1] == parameters[:-1].sum()
    card = weights.find(name, *weight_folders().values())
    assert [code.value for code in page.code] == [card.command]
    assert [success.value for success in page.success] == [
        "Whole: each file is as its sha256 says."
    ]
    for digest in card.files.values():
        assert digest in html(page)


def test_without_a_name_the_first_card_is_shown():
    page = opened()
    assert page.title[0].value == "Models"
    assert page.selectbox(key="model").value in RELEASED
    assert len(page.metric) == 4


def test_an_unknown_name_lists_those_there_are():
    page = opened(model=HOSTILE)
    assert [error.value for error in page.error] == ["There is no such model."]
    assert all(name in texts(page)[0] for name in RELEASED)
    assert HOSTILE in texts(page)[0] and HOSTILE not in marked_up(page)
    assert not page.metric
    page.selectbox(key="model").set_value("keywords").run()
    assert len(page.metric) == 4


def test_figures_are_in_their_units():
    page = opened(model="keywords")
    figures = table_with(page, "set").set_index("set")
    card = weights.find("keywords", weight_folders()["speech"])
    measured = card.metrics["test at 10 dB"]
    assert figures.loc["test at 10 dB", "accuracy (%)"] == pytest.approx(100 * measured["accuracy"])
    assert figures.loc["test at 10 dB", "examples"] == measured["n"]
    closer = next(box for box in page.selectbox if box.label == "A closer look at")
    assert closer.value.name == "test"
    label, answer, times = card.metrics["test"]["confusions"][0]
    assert f'<td>{label}</td><td>{answer}</td><td class="number">{times}</td>' in html(page)


def test_a_model_trained_on_this_machine_has_its_page(folder):
    own_model(folder)
    page = opened(model="mine.toml")
    assert not page.exception
    assert not page.error
    assert [metric.value for metric in page.metric][2:] == ["1.0 MB", "15 s"]
    assert HOSTILE in texts(page)
    assert "<script>" not in marked_up(page) and "**bold**" not in page.metric[0].label
    assert "&lt;script&gt;" in html(page)


def test_a_file_that_was_altered_is_told_of(folder):
    card = own_model(folder)
    card.weights.write_bytes(card.weights.read_bytes()[:-1] + b"x")
    page = opened(model="mine.toml")
    assert [error.value for error in page.error] == ["This model isn't whole."]
    assert any("mine.safetensors: sha256 is" in text for text in texts(page))
    card.weights.unlink()
    assert any("mine.safetensors: No such file" in text for text in texts(page.run()))


@pytest.mark.parametrize(
    "content", ["", "name = 3", "\0", *(f"{part} = 1" for part in ("config", "metrics"))]
)
def test_what_is_no_card_is_a_sentence(folder, content):
    card = own_model(folder)
    card.path.write_text(content)
    page = opened(model="mine.toml")
    assert not page.exception
    assert [error.value for error in page.error] == ["This card can't be shown."]
    page.selectbox(key="model").set_value("digits").run()
    assert len(page.metric) == 4 and not page.error


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "no-such"},
        {"config": {"vocabulary": 3}},
        {"domain": "smell"},
        {"domain": "image", "preprocessing": {"size": "x"}},
        {"metrics": {"test": {"accuracy": "high", "confusions": [1, ["a"]], "recall": {}}}},
        {"metrics": {}, "labels": [], "data": [], "preprocessing": {}},
        {"labels": ["a"] * 1000, "data": [{"a": [1, {"b": 2}]}]},
    ],
)
def test_an_odd_card_breaks_nothing(folder, change):
    own_model(folder, dataclasses.replace(CARD, **change))
    page = opened(model="mine.toml")
    assert not page.exception


# --- architectures ----------------------------------------------------------------------------


def test_a_case_study_is_a_click_away():
    page = opened(part="Architectures")
    next(button for button in page.button if button.label == "AlexNet").click().run()
    assert not page.exception
    assert "AlexNet" in page.markdown[1].value
    layers = table_with(page, "layer").set_index("layer")
    assert layers.loc["conv1.conv", "output"] == "96x55x55"
    assert layers.loc["total", "parameters"] == 62_378_344
    assert texts(page) == [
        "Output: (N - F + 2P)/S + 1 = (227 - 11 + 2·0)/4 + 1 = 55\n"
        "Parameters: 11·11·3·96 + 96 = 34,944"
    ]


def test_another_input_volume_gives_other_outputs():
    page = opened(part="Architectures", architecture="keras-mnist")
    page.text_input[0].set_value("1x40x40").run()
    assert not page.exception
    assert table_with(page, "layer")["output"][0] == "25x38x38"
    assert "(40 - 3 + 2·0)/1 + 1 = 38" in texts(page)[0]


@pytest.mark.parametrize("volume", ["big", "1x32x40", "0x0x0", "3x99999x9", HOSTILE[:24]])
def test_a_volume_that_is_none_is_a_sentence(volume):
    page = opened(part="Architectures", architecture="lenet5")
    page.text_input[0].set_value(volume).run()
    assert not page.exception
    assert [error.value for error in page.error] == ["This network can't be laid out so."]
    page.text_input[0].set_value("1x32x32").run()
    assert not page.error


def test_all_networks_can_be_walked_through():
    page = opened(part="Architectures")
    assert page.selectbox(key="architecture").options == networks()
    for name in ("text-cnn", "unet", "vnet", "rnn", "bc-resnet", "go-fully-connected"):
        page.selectbox(key="architecture").set_value(name).run()
        assert not page.exception
        assert not page.error


# --- training runs ----------------------------------------------------------------------------


def chosen(page, *names):
    return page.multiselect(key="runs").set_value(list(names)).run()


def summaries(page):
    return table_with(page, "run").set_index("run")


def states(page):
    """What the legend says of each run."""
    legend = next(body for body in map(str, html(page).split("<div")) if "border-left" in body)
    return dict(re.findall(r'rem">([^<]*)<br><span class="quiet">(.*?)</span>', legend))


def test_without_a_training_there_is_an_example_to_click():
    page = opened(part="Training runs")
    assert "No training found" in page.info[0].value
    next(button for button in page.button if button.label.startswith("Example")).click().run()
    assert not page.exception
    assert not page.info
    names = {f"{path.parent.name} (example)" for path in EXAMPLES.glob("*/log.jsonl")}
    assert set(summaries(page).index) == names
    assert states(page) == dict.fromkeys(names, "finished")
    for rows in charts(page):
        assert {row["run"] for row in rows} == names


def test_runs_are_compared(folder):
    log(folder / "a.run" / "1111aaaa", 2)
    log(folder / "b.run" / "2222bbbb", 3, macro_f1=0.5)
    (folder / "a.run" / "1111aaaa" / "outcome.json").write_text("{}")
    page = chosen(opened(part="Training runs"), "a 1111", "b 2222")
    assert not page.exception
    table = summaries(page)
    assert states(page) == {"a 1111": "finished", "b 2222": "running, epoch 3"}
    assert table["steps"].tolist() == [20, 30]
    assert table.loc["b 2222", "best accuracy (%)"] == pytest.approx(100 * (1 - 0.5 / 3), abs=1e-3)
    loss, validation, rate, speed = charts(page)
    assert [row["value"] for row in loss if row["run"] == "a 1111"] == [
        2 / (step + 1) for step in range(20)
    ]
    assert [row["value"] for row in validation if row["run"] == "a 1111"] == [50, 75]
    assert [row["epoch"] for row in validation if row["run"] == "b 2222"] == [1, 2, 3]
    assert {row["value"] for row in rate} == {0.1} and {row["value"] for row in speed} == {50}


def test_a_run_is_followed_while_it_is_written(folder):
    run = folder / "a.run" / "1111aaaa"
    log(run, 1)
    page = chosen(opened(part="Training runs"), "a 1111")
    assert summaries(page)["steps"].tolist() == [10]
    whole = (run / "log.jsonl").read_text()
    log(run, 2)
    more = (run / "log.jsonl").read_text()[len(whole) :]
    (run / "log.jsonl").write_text(whole + more[:-5])
    page.run()
    assert summaries(page)["steps"].tolist() == [20]
    assert summaries(page)["in epoch"].tolist() == [1]
    with (run / "log.jsonl").open("a") as file:
        file.write(more[-5:])
    page.run()
    assert summaries(page)["in epoch"].tolist() == [2]
    (run / "outcome.json").write_text("{}")
    page.run()
    assert states(page) == {"a 1111": "finished"}


def test_a_run_that_has_stopped_says_since_when(folder):
    run = folder / "a.run" / "1111aaaa"
    log(run, 1)
    os.utime(run / "log.jsonl", (time.time() - 600, time.time() - 600))
    page = chosen(opened(part="Training runs"), "a 1111")
    assert states(page) == {"a 1111": "no new line for 10 min, epoch 1"}


def test_a_damaged_log_is_named_and_others_go_on(folder):
    log(folder / "a.run" / "1111aaaa", 1)
    log(folder / "b.run" / "2222bbbb", 1)
    with (folder / "b.run" / "2222bbbb" / "log.jsonl").open("a") as file:
        file.write(f"{HOSTILE}\n")
    page = chosen(opened(part="Training runs"), "a 1111", "b 2222")
    assert not page.exception
    assert [error.value for error in page.error] == ["A log can't be read."]
    assert texts(page)[0].endswith("log.jsonl: line 12: not a line of a training's log")
    assert summaries(page).index.tolist() == ["a 1111"]
    page = chosen(page, "b 2222")
    assert not page.exception and not page.dataframe


def test_names_from_the_disk_are_text(folder):
    name = "<script>x<b>*y*_z_"
    log(folder / f"{name}.run" / "1111aaaa", 1, **{f"{HOSTILE}.a[0]": 3})
    page = chosen(opened(part="Training runs"), f"{name} 1111")
    assert not page.exception
    assert "<script>" not in html(page) and "&lt;script&gt;x&lt;b&gt;" in html(page)


def test_a_run_that_is_gone_is_let_go(folder):
    log(folder / "a.run" / "1111aaaa", 1)
    page = chosen(opened(part="Training runs"), "a 1111")
    shutil.rmtree(folder / "a.run")
    page.run()
    assert not page.exception
    assert "No training found" in page.info[0].value
