"""Published networks in plain torch, with the published names: what the zoo is held against."""

import torch
from torch import nn
from torch.nn import functional as F


def scrambled(network):
    """In eval mode, with batch norms that have seen something, and filters that let it through."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0, 0.1)
    return network.eval()


def features(convolutions, pools):
    """AlexNet's and VGG's: at which place which convolution, and how large a pool."""
    layers = []
    for place in range(max(pools) + 1):
        if place in convolutions:
            layers.append(nn.Conv2d(*convolutions[place]))
        elif place in pools:
            layers.append(nn.MaxPool2d(pools[place], 2))
        else:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


class Block(nn.Module):
    """Of a ResNet: two 3x3, or a bottleneck with its stride in the 3x3."""

    def __init__(self, before, width, stride, bottleneck):
        super().__init__()
        after = 4 * width if bottleneck else width
        if bottleneck:
            self.add(1, before, width, 1, 1)
            self.add(2, width, width, 3, stride)
            self.add(3, width, after, 1, 1)
        else:
            self.add(1, before, width, 3, stride)
            self.add(2, width, after, 3, 1)
        self.layers = 3 if bottleneck else 2
        self.downsample = nn.Identity()
        if stride > 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def add(self, n, before, after, kernel, stride):
        conv = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
        self.add_module(f"conv{n}", conv)
        self.add_module(f"bn{n}", nn.BatchNorm2d(after))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.layers == 3:
            out = self.bn3(self.conv3(F.relu(out)))
        return F.relu(out + self.downsample(x))


class ResNet(nn.Module):
    def __init__(self, blocks, bottleneck):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        before = 64
        for n, number in enumerate(blocks):
            width = 64 * 2**n
            stage = []
            for block in range(number):
                stage.append(Block(before, width, 2 if n and not block else 1, bottleneck))
                before = 4 * width if bottleneck else width
            self.add_module(f"layer{n + 1}", nn.Sequential(*stage))
        self.fc = nn.Linear(before, 1000)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


class ConvNorm(nn.Module):
    def __init__(self, before, after, kernel, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=1e-3)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    def __init__(self, before, one, reduce3, three, reduce5, five, projection):
        super().__init__()
        self.branch1 = ConvNorm(before, one, 1)
        self.branch2 = nn.Sequential(ConvNorm(before, reduce3, 1), ConvNorm(reduce3, three, 3))
        self.branch3 = nn.Sequential(ConvNorm(before, reduce5, 1), ConvNorm(reduce5, five, 3))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), ConvNorm(before, projection, 1))

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class Head(nn.Module):
    """One of GoogLeNet's auxiliary heads; not run here."""

    def __init__(self, before):
        super().__init__()
        self.conv = ConvNorm(before, 128, 1)
        self.fc1 = nn.Linear(2048, 1024)
        self.fc2 = nn.Linear(1024, 1000)


class GoogLeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = ConvNorm(3, 64, 7, 2)
        self.conv2 = ConvNorm(64, 64, 1)
        self.conv3 = ConvNorm(64, 192, 3)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.aux1 = Head(512)
        self.aux2 = Head(528)
        self.fc = nn.Linear(1024, 1000)

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.conv3(self.conv2(x)), 3, 2, ceil_mode=True)
        x = F.max_pool2d(self.inception3b(self.inception3a(x)), 3, 2, ceil_mode=True)
        for name in "abcde":
            x = getattr(self, f"inception4{name}")(x)
        x = self.inception5b(self.inception5a(F.max_pool2d(x, 2, 2, ceil_mode=True)))
        return self.fc(x.mean((2, 3)))


class MBConv(nn.Module):
    """EfficientNet-Lite's block, for maps of an even side wherever its stride is 2."""

    def __init__(self, before, after, kernel, stride, expansion):
        super().__init__()
        wide = before * expansion
        if expansion > 1:
            self._expand_conv = nn.Conv2d(before, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, eps=1e-3)
        self._depthwise_conv = nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, eps=1e-3)
        self._project_conv = nn.Conv2d(wide, after, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(after, eps=1e-3)
        self.expands, self.adds = expansion > 1, stride == 1 and before == after
        start = (kernel - stride) // 2
        self.padding = (start, kernel - stride - start) * 2

    def forward(self, x):
        out = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        out = F.relu6(self._bn1(self._depthwise_conv(F.pad(out, self.padding))))
        out = self._bn2(self._project_conv(out))
        return x + out if self.adds else out


class EfficientNetLite0(nn.Module):
    def __init__(self):
        super().__init__()
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=1e-3)
        rows = [(32, 16, 3, 1, 1)]
        for before, after, kernel, stride, layers in [
            (16, 24, 3, 2, 2), (24, 40, 5, 2, 2), (40, 80, 3, 2, 3),
            (80, 112, 5, 1, 3), (112, 192, 5, 2, 4), (192, 320, 3, 1, 1),
        ]:  # fmt: skip
            rows.append((before, after, kernel, stride, 6))
            rows += [(after, after, kernel, 1, 6)] * (layers - 1)
        self._blocks = nn.ModuleList(MBConv(*row) for row in rows)
        self._conv_head = nn.Conv2d(320, 1280, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(1280, eps=1e-3)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, x):
        x = F.relu6(self._bn0(self._conv_stem(F.pad(x, (0, 1, 0, 1)))))
        for block in self._blocks:
            x = block(x)
        return self._fc(F.relu6(self._bn1(self._conv_head(x))).mean((2, 3)))
