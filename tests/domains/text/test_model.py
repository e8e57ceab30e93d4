import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.registry import build
from domains.text import model  # noqa: F401  registers the architectures

NAMES = ["text-cnn", "bag-of-embeddings", "rnn"]
SMALL = {"vocabulary": 30, "classes": 3, "dimensions": 6}
WIDTHS = {"widths": [2, 3, 4], "filters": 5}
VARIANTS = [
    ("text-cnn", {**WIDTHS}),
    ("text-cnn", {**WIDTHS, "pools": ["max", "mean"], "channels": "multichannel"}),
    ("text-cnn", {**WIDTHS, "pools": ["mean"], "channels": "static"}),
    ("bag-of-embeddings", {"hidden": 7}),
    ("bag-of-embeddings", {"hidden": 7, "channels": "multichannel"}),
    ("rnn", {"hidden": 7}),
]


def network(name="text-cnn", seed=1, **settings):
    torch.manual_seed(seed)
    return build(name, {**SMALL, **settings}).eval()


def weights(part):
    return {name: tensor.detach().numpy() for name, tensor in part.named_parameters()}


texts = st.lists(st.lists(st.integers(1, 29), min_size=1, max_size=9), min_size=1, max_size=4)


@pytest.mark.parametrize(("name", "changes"), VARIANTS)
@settings(max_examples=25, deadline=None)
@given(texts, st.integers(0, 20))
def test_padding_changes_nothing(name, changes, texts, padding):
    net = network(name, **changes)
    longest = max(map(len, texts))
    together = torch.zeros(len(texts), longest + padding, dtype=torch.long)
    for row, words in enumerate(texts):
        together[row, : len(words)] = torch.tensor(words)
    with torch.no_grad():
        answers = net(together)
        alone = torch.cat([net(torch.tensor([words])) for words in texts])
    assert answers.shape == (len(texts), 3)
    torch.testing.assert_close(answers, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("length", [1, 2, 5, 9])
@pytest.mark.parametrize("pools", [["max"], ["mean"], ["max", "mean"]])
def test_text_cnn_is_the_loop_over_words_widths_and_filters(length, pools):
    net = network(**WIDTHS, pools=pools)
    words = np.random.default_rng(2).integers(1, 30, length)
    tensors = weights(net)
    vectors = tensors["embedding.tables.0.weight"][words]
    features = []
    for pool in pools:
        for layer, width in enumerate(WIDTHS["widths"]):
            kernels = tensors[f"convolutions.{layer}.conv.weight"]
            biases = tensors[f"convolutions.{layer}.conv.bias"]
            for kernel, bias in zip(kernels, biases, strict=True):
                values = []
                for t in range(length):
                    value = bias
                    for offset in range(width):
                        at = t - width // 2 + offset
                        if 0 <= at < length:
                            value = value + kernel[:, offset] @ vectors[at]
                    values.append(max(value, 0.0))
                features.append(max(values) if pool == "max" else sum(values) / length)
    by_hand = tensors["head.linear.weight"] @ features + tensors["head.linear.bias"]
    with torch.no_grad():
        answer = net(torch.from_numpy(words)[None])[0]
    np.testing.assert_allclose(answer.numpy(), by_hand, atol=1e-5)


def test_the_feature_maps_have_one_value_a_word_and_filter():
    net = network(**WIDTHS)
    maps = net.maps(torch.ones(2, 7, dtype=torch.long))
    assert [tuple(values.shape) for values in maps] == [(2, 5, 7)] * 3
    assert all((values >= 0).all() for values in maps)


def test_multichannel_adds_the_convolutions_of_both_channels():
    """Kim 2014, section 3: every filter is applied to both channels and the results are added."""
    net = network(**WIDTHS, channels="multichannel")
    with torch.no_grad():
        for table in net.embedding.tables:
            table.weight[1:] = torch.randn(29, 6)
    words = torch.tensor([[3, 14, 15, 9, 2, 6]])
    convolve = torch.nn.functional.conv1d
    for layer, (width, values) in enumerate(zip(WIDTHS["widths"], net.maps(words), strict=True)):
        kernel, bias = net.convolutions[layer].conv.weight, net.convolutions[layer].conv.bias
        one, two = (
            convolve(table(words).transpose(1, 2), kernel, padding=width // 2)[..., :6]
            for table in net.embedding.tables
        )
        torch.testing.assert_close(values, (one + two + bias[:, None]).relu())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("channels", "moves"),
    [("static", [False]), ("non-static", [True]), ("multichannel", [False, True])],
)
def test_training_moves_the_word_vectors_that_it_may(name, channels, moves):
    net = network(name, channels=channels).train()
    vectors = torch.randn(30, 6)
    vectors[0] = 0
    net.embedding.start_from(vectors)
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.1, weight_decay=0.0)
    head = net.head.linear.weight.detach().clone()
    words = torch.tensor([[5, 6, 7, 0, 0], [5, 8, 9, 10, 11]])
    for _ in range(3):
        torch.nn.functional.cross_entropy(net(words), torch.tensor([0, 2])).backward()
        optimizer.step()
        optimizer.zero_grad()
    assert [not torch.equal(table.weight, vectors) for table in net.embedding.tables] == moves
    assert not torch.equal(net.head.linear.weight, head)
    for table in net.embedding.tables:
        assert not table.weight[0].any()  # padding stays the zero vector
        torch.testing.assert_close(table.weight[20:], vectors[20:])  # words that were not seen


def test_rnn_is_the_loop_of_the_lecture_notes():
    """h_t = tanh(W_hh h_{t-1} + W_xh x_t + b), the last h to the classes."""
    net = network("rnn", hidden=7)
    tensors = weights(net)
    words = [4, 8, 15, 16, 23]
    h = np.zeros(7)
    for word in words:
        x = tensors["embedding.tables.0.weight"][word]
        h = np.tanh(
            tensors["recurrence.weight_hh_l0"] @ h
            + tensors["recurrence.weight_ih_l0"] @ x
            + tensors["recurrence.bias_hh_l0"]
            + tensors["recurrence.bias_ih_l0"]
        )
    by_hand = tensors["head.linear.weight"] @ h + tensors["head.linear.bias"]
    with torch.no_grad():
        answer = net(torch.tensor([[*words, 0, 0, 0]]))[0]
    np.testing.assert_allclose(answer.numpy(), by_hand, atol=1e-5)


def test_bag_of_embeddings_is_a_fully_connected_net_on_the_mean():
    net = network("bag-of-embeddings", hidden=7)
    tensors = weights(net)
    mean = tensors["embedding.tables.0.weight"][[4, 8, 15]].mean(0)
    hidden = np.maximum(tensors["hidden.linear.weight"] @ mean + tensors["hidden.linear.bias"], 0)
    by_hand = tensors["head.linear.weight"] @ hidden + tensors["head.linear.bias"]
    with torch.no_grad():
        answers = net(torch.tensor([[4, 8, 15], [15, 4, 8]]))
    np.testing.assert_allclose(answers[0].numpy(), by_hand, atol=1e-5)
    torch.testing.assert_close(answers[0], answers[1])  # it knows no order


@pytest.mark.parametrize("name", ["text-cnn", "rnn"])
def test_the_other_two_know_the_order_of_words(name):
    net = network(name)
    with torch.no_grad():
        one, two = net(torch.tensor([[4, 8, 15, 16], [16, 15, 8, 4]]))
    assert (one - two).abs().max() > 1e-3


def count(net):
    return sum(parameter.numel() for parameter in net.parameters())


def test_parameters_of_kims_network():
    """300-d vectors, widths 3, 4, 5 with 100 filters each, two classes: 360,300 and 602."""
    config = {"vocabulary": 1000, "classes": 2, "dimensions": 300}
    net = build("text-cnn", config)
    assert count(net.convolutions) == 100 * 300 * (3 + 4 + 5) + 300 == 360_300
    assert count(net.head) == 300 * 2 + 2
    assert count(net.embedding) == 300_000
    assert net.dropout.p == 0.5
    assert count(build("text-cnn", {**config, "channels": "multichannel"})) == count(net) + 300_000


def test_without_vectors_words_start_at_random_and_padding_at_zero():
    table = network(vocabulary=500).embedding.tables[0].weight.detach()
    assert not table[0].any()
    assert table[1:].abs().max() <= 0.25
    assert table[1:].std() == pytest.approx(0.25 / 3**0.5, rel=0.05)


def test_unknown_channels():
    with pytest.raises(InputError, match="static, non-static, multichannel"):
        network(channels="rand?")


@pytest.mark.parametrize(
    "settings",
    [
        {"filters": 0}, {"filters": 2.5}, {"filters": True}, {"filters": "5"}, {"widths": []},
        {"widths": 3}, {"widths": [3, 0]}, {"widths": [3, 3]}, {"pools": ["max", "max"]},
        {"widths": ["3"]}, {"pools": ["min"]}, {"dropout": 1},
        {"dropout": -0.1}, {"dimensions": -1}, {"channels": None},
    ],
)  # fmt: skip
def test_settings_that_make_no_network(settings):
    with pytest.raises(InputError, match=next(iter(settings))) as caught:
        network(**settings)
    assert "\n" not in str(caught.value)


def test_settings_on_the_edge():
    net = network(widths=[1], filters=1, dropout=0, dimensions=1)
    assert net(torch.tensor([[3]])).shape == (1, 3)
