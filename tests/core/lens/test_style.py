"""Neural style: Gram matrices by hand, the losses fall, an interrupted run goes on."""

import pytest
import torch
from torch import nn

from core.blocks import (
    Conv,
    Flatten,
    FullyConnected,
    GlobalAveragePool,
    MaxPool,
    Residual,
)
from core.errors import InputError
from core.lens.dream import reach
from core.lens.style import Layers, default_layers, gram, style, total_variation

LOWEST, HIGHEST = torch.tensor(0.0), torch.tensor(1.0)


@pytest.fixture
def network():
    """As VGG; its head takes 16x16 and nothing else."""
    torch.manual_seed(4)
    return nn.Sequential(
        Conv(3, 6, 3, padding=1),
        Conv(6, 6, 3, padding=1),
        MaxPool(2),
        Conv(6, 8, 3, padding=1),
        MaxPool(2),
        Flatten(),
        FullyConnected(8 * 4 * 4, 5),
    ).eval()


def picture(height, width, seed=1):
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def painting():
    """Diagonal stripes."""
    across = torch.arange(24) + torch.arange(18)[:, None]
    return torch.stack([across % 4 < 2, across % 6 < 2, across % 3 < 1]).float()


def test_a_gram_matrix_by_hand():
    maps = torch.tensor([[[1.0, 2.0], [0.0, 1.0]], [[3.0, 0.0], [1.0, -1.0]]])
    # 1 + 4 + 0 + 1, 3 + 0 + 0 - 1, 9 + 0 + 1 + 1, over four places
    assert gram(maps).tolist() == [[1.5, 0.5], [0.5, 2.75]]


def test_a_gram_matrix_does_not_mind_where_things_stand_or_how_large_the_picture_is():
    maps = torch.rand(4, 5, 6)
    mixed = maps.flatten(1)[:, torch.randperm(30)].reshape(4, 6, 5)
    assert torch.allclose(gram(mixed), gram(maps))
    assert torch.allclose(gram(maps.repeat(1, 3, 2)), gram(maps))


def test_the_total_variation_by_hand():
    x = torch.tensor([[[0.0, 1.0, 3.0], [0.0, 2.0, 3.0]]])
    # down: 0, 1, 0; across: 1, 4, 4, 1
    assert float(total_variation(x)) == pytest.approx(1 / 3 + 10 / 4)


def test_the_losses_are_shares_of_the_targets(network):
    """By hand from the layers' maps: of a picture that one step has changed."""
    content, layers = picture(16, 20), Layers("3", ("1", "3"))
    (frame,) = style(network, content, painting(), LOWEST, HIGHEST, layers=layers, steps=1, every=1)
    with torch.no_grad():
        now, shown, painted = (
            reach(network, x[None], ["1", "3"]) for x in (frame.picture, content, painting())
        )

    def share(a, b):
        return float((a - b).square().sum() / b.square().sum())

    styles = [share(gram(now[name][0]), gram(painted[name][0])) for name in ("1", "3")]
    assert frame.content == pytest.approx(share(now["3"], shown["3"]), rel=1e-4)
    assert frame.style == pytest.approx(sum(styles) / 2, rel=1e-4)
    assert frame.total_variation == pytest.approx(float(total_variation(frame.picture)))


def test_the_style_comes_nearer_and_the_content_stays_the_nearest(network):
    content = picture(21, 30)
    frames = list(style(network, content, painting(), LOWEST, HIGHEST, steps=25, every=10))
    assert [frame.step for frame in frames] == [10, 20, 25]
    (start,) = style(network, content, painting(), LOWEST, HIGHEST, steps=1, every=1)
    losses = [start.style, *(frame.style for frame in frames)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] / 3
    layer = default_layers(network, content).content
    with torch.no_grad():
        shown = reach(network, content[None], [layer])[layer]
        other = reach(network, picture(21, 30, seed=2)[None], [layer])[layer]
    assert frames[-1].content < float((other - shown).square().sum() / shown.square().sum())


def test_more_strength_is_more_style_and_less_content(network):
    def end(strength):
        frames = style(
            network, picture(16, 16), painting(), LOWEST, HIGHEST, strength=strength, steps=30
        )
        return list(frames)[-1]

    weak, strong = end(0.1), end(100.0)
    assert strong.style < weak.style
    assert strong.content > weak.content


def test_smoothness_makes_it_smooth(network):
    def end(smoothness):
        frames = style(
            network, picture(16, 16), painting(), LOWEST, HIGHEST, smoothness=smoothness, steps=20
        )
        return list(frames)[-1].total_variation

    assert end(10.0) < end(0.0) / 2


def test_pictures_keep_their_size_and_stay_in_the_box(network):
    highest = torch.tensor([0.6, 0.8, 1.0])[:, None, None]
    content = picture(13, 22)
    for frame in style(network, content, painting(), LOWEST, highest, steps=6, every=3):
        assert frame.picture.shape == content.shape
        assert not frame.picture.requires_grad
        assert (frame.picture >= LOWEST).all()
        assert (frame.picture <= highest).all()


def test_the_style_of_itself_changes_nothing(network):
    x = picture(16, 16)
    frames = list(style(network, x, x, LOWEST, HIGHEST, smoothness=0.0, steps=2))
    assert torch.allclose(frames[-1].picture, x, atol=1e-6)
    assert frames[-1].style < 1e-10


def test_a_run_goes_on_from_its_last_picture(network):
    content = picture(16, 20)

    def run(**given):
        return list(style(network, content, painting(), LOWEST, HIGHEST, every=10, **given))

    first = run(steps=20)[-1]
    assert torch.equal(run(steps=20)[-1].picture, first.picture)  # nothing is left to chance
    resumed = run(steps=20, start=first.picture)
    assert resumed[-1].style < first.style
    assert resumed[-1].style < run(steps=10)[0].style


def test_default_layers_are_the_last_before_each_pooling(network):
    assert default_layers(network, picture(16, 16)) == Layers("1", ("1", "3"))
    assert default_layers(network, picture(40, 30)) == Layers("1", ("1", "3"))  # the head fails


def test_default_layers_where_strides_and_a_global_pool_do_the_pooling():
    network = nn.Sequential(
        Conv(3, 4, 3, padding=1),
        Residual(Conv(4, 4, 3, padding=1, activation=None)),
        nn.Dropout2d(),
        Conv(4, 4, 3, stride=2, padding=1),
        nn.BatchNorm2d(4),
        nn.SiLU(),
        GlobalAveragePool(),
        FullyConnected(4, 2),
    )
    assert default_layers(network, picture(12, 12)) == Layers("1", ("1", "4"))


def test_a_convolution_without_padding_is_no_pooling():
    network = nn.Sequential(Conv(3, 4, 3), Conv(4, 4, 3), MaxPool(2), Conv(4, 4, 3), MaxPool(2))
    assert default_layers(network, picture(20, 20)) == Layers("1", ("1", "3"))


def test_default_layers_of_a_network_without_pooling():
    with pytest.raises(InputError, match="Sequential has no maps that are pooled"):
        default_layers(nn.Sequential(Conv(3, 4, 3, padding=1)), picture(8, 8))


def test_a_wrong_layer_lists_the_right_ones(network):
    with pytest.raises(InputError, match=r"no layer called 'x' .*; known: 0, 1, 2, 3, 4$"):
        list(
            style(network, picture(20, 20), painting(), LOWEST, HIGHEST, layers=Layers("1", ("x",)))
        )


def test_weights_stay_as_they_are(network):
    before = {key: value.clone() for key, value in network.state_dict().items()}
    list(style(network, picture(16, 16), painting(), LOWEST, HIGHEST, steps=2))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())
