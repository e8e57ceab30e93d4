from copy import deepcopy

import pytest
import torch
from torch import nn

from core.blocks import Conv
from core.optimizers import Muon, orthogonal


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (6, 6)])
def test_orthogonal_moves_all_singular_values_to_about_one(shape):
    torch.manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    values = torch.logspace(0, -2, min(shape))
    made = orthogonal(u @ values.diag() @ v)
    found = torch.linalg.svdvals(made)
    assert 0.6 < found.min() <= found.max() < 1.3
    assert torch.allclose(made, u @ (u.T @ made @ v.T) @ v, atol=1e-4)  # the same directions


def test_a_step_is_of_the_learning_rates_size_whatever_the_gradients():
    for scale in (1e-4, 1.0, 1e4):
        torch.manual_seed(0)
        weight = nn.Parameter(torch.zeros(16, 8, 3, 3))
        bias = nn.Parameter(torch.zeros(16))
        optimizer = Muon([weight, bias], lr=0.01, momentum=0.95, weight_decay=0.0)
        weight.grad, bias.grad = scale * torch.randn(16, 8, 3, 3), scale * torch.randn(16)
        for _ in range(100):
            before = [parameter.detach().clone() for parameter in (weight, bias)]
            optimizer.step()
        for parameter, was in zip((weight, bias), before, strict=True):
            size = (parameter.detach() - was).square().mean().sqrt().item()
            assert size == pytest.approx(0.2 * 0.01, rel=0.3)


def test_weight_decay_shrinks_filters_and_leaves_biases():
    filters, bias = nn.Parameter(torch.ones(4, 4)), nn.Parameter(torch.ones(4))
    optimizer = Muon([filters, bias], lr=0.1, momentum=0.95, weight_decay=0.5)
    filters.grad, bias.grad = torch.zeros(4, 4), torch.zeros(4)
    optimizer.step()
    assert torch.allclose(filters, torch.full((4, 4), 1 - 0.1 * 0.5))
    assert torch.allclose(bias, torch.ones(4))


def test_a_parameter_without_gradient_stays():
    weight = nn.Parameter(torch.ones(3, 3))
    Muon([weight], lr=0.1, momentum=0.95, weight_decay=0.5).step()
    assert torch.equal(weight, torch.ones(3, 3))


def test_it_learns_and_resumes_from_its_state():
    def pieces():
        torch.manual_seed(1)
        model = nn.Sequential(Conv(3, 8, 3, padding=1, norm=True), Conv(8, 1, 1, activation=None))
        return model, Muon(model.parameters(), lr=0.02, momentum=0.95, weight_decay=0.0)

    torch.manual_seed(0)
    x = torch.randn(8, 3, 5, 5)
    y = x.roll(1, 2).sum(1, keepdim=True)

    def step(model, optimizer):
        loss = (model(x) - y).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    model, optimizer = pieces()
    losses = [step(model, optimizer) for _ in range(60)]
    assert losses[-1] < losses[0] / 4
    copy, its_optimizer = pieces()
    copy.load_state_dict(model.state_dict())
    its_optimizer.load_state_dict(deepcopy(optimizer.state_dict()))
    for _ in range(3):
        assert step(model, optimizer) == step(copy, its_optimizer)
