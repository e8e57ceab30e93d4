import pytest
import torch

from core import registry
from core.arithmetic import table, total
from core.errors import InputError
from domains.go import model


def parameters(name, **config):
    return sum(p.numel() for p in registry.build(name, config).parameters())


@pytest.mark.parametrize(
    ("filters", "count"), [(128, 1_777_641), (192, 3_882_793), (256, 6_798_953), (384, 15_064_297)]
)
def test_alphago_has_the_papers_parameters(filters, count):
    by_hand = (48 * 25 + 1) * filters + 11 * (9 * filters + 1) * filters + filters + 361
    assert parameters("alphago", filters=filters) == by_hand == count


def test_alphago_sees_the_papers_padding():
    rows = table(registry.build("alphago", {"filters": 8}), torch.zeros(1, 48, 19, 19))
    convolutions = [row for row in rows if "conv" in row.name.lower()]
    assert len(convolutions) == 13
    assert {row.output_shape[-2:] for row in convolutions} == {(19, 19)}
    assert total(rows).parameters == parameters("alphago", filters=8)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("alphago", {"filters": 4, "layers": 3}),
        ("alphago", {"filters": 4, "layers": 3, "planes": 1}),
        ("alphago", {"filters": 4, "layers": 2, "size": 9}),
        ("go-fully-connected", {"hidden": 8}),
        ("policy-resnet", {"filters": 8, "blocks": 1}),
    ],
)
def test_planes_in_one_logit_a_point_out(name, config):
    default = 1 if name == "go-fully-connected" else 48
    (planes,) = model.example_inputs({"planes": default, **config})
    network = registry.build(name, config).eval()
    assert network(planes).shape == (1, planes.shape[-1] ** 2)


def test_no_network_pools_away_positions():
    for name in ("alphago", "policy-resnet"):
        network = registry.build(name, {"filters": 8})
        strides = {m.stride for m in network.modules() if isinstance(m, torch.nn.Conv2d)}
        assert strides == {(1, 1)}


def test_the_resnet_answers_on_any_board_and_alphago_only_on_its_own():
    resnet = registry.build("policy-resnet", {"filters": 8, "blocks": 2}).eval()
    for size in (2, 9, 13, 19, 25):
        assert resnet(torch.zeros(2, 48, size, size)).shape == (2, size * size)
    assert model.plays_any_size("policy-resnet")
    assert not model.plays_any_size("alphago")
    with pytest.raises(RuntimeError):
        registry.build("alphago", {"filters": 8})(torch.zeros(1, 48, 9, 9))


def test_the_position_bias_is_alphagos_alone():
    torch.manual_seed(0)
    empty = torch.zeros(1, 1, 19, 19)
    alphago = registry.build("alphago", {"filters": 8, "planes": 1})
    alphago[-1].bias.data.normal_()
    logits = alphago(empty).reshape(19, 19)
    assert not torch.allclose(logits[9, 8], logits[9, 9])  # both far from the edge


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("alphago", {"planes": 3}, "planes cannot be 3"),
        ("alphago", {"filters": 0}, "filters cannot be 0"),
        ("policy-resnet", {"filters": 12}, "does not divide"),
        ("policy-resnet", {"depth": 3}, "no setting 'depth'"),
    ],
)
def test_settings_that_make_no_sense(name, config, message):
    with pytest.raises(InputError, match=message):
        registry.build(name, config)
