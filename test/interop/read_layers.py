"""Takes exported weights of the network in test/fixtures/networks/layers.mjs into the same network of PyTorch, and checks its ONNX model.

    python read_layers.py WEIGHTS.safetensors MODEL.onnx DEPTH HEIGHT WIDTH

Prints the scores of an image, [depth, height, width, class], as JSON.
"""
import json
import sys

import onnx
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn


class Conv(nn.Conv3d):
    """A convolution and the norm that has its name."""

    def __init__(self, cin, cout, kernel, stride=1):
        super().__init__(cin, cout, kernel, stride, (kernel - 1) // 2, bias=False)
        self.norm = nn.InstanceNorm3d(cout, affine=True)

    def forward(self, x):
        return self.norm(super().forward(x))


class Residual(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv0, self.conv1, self.skip = Conv(cin, cout, 3, 2), Conv(cout, cout, 3), Conv(cin, cout, 1)

    def forward(self, x):
        past = self.skip(F.avg_pool3d(x, 2, ceil_mode=True))
        return F.leaky_relu(self.conv1(F.leaky_relu(self.conv0(x), 0.01)) + past, 0.01)


class Squeeze(nn.Module):
    def __init__(self, channels, fewer):
        super().__init__()
        self.squeeze, self.excite = nn.Linear(channels, fewer), nn.Linear(fewer, channels)

    def forward(self, x):
        scale = self.excite(F.relu(self.squeeze(x.mean((2, 3, 4))))).sigmoid()
        return x * scale[:, :, None, None, None]


class Gate(nn.Module):
    def __init__(self, skip, gate, width):
        super().__init__()
        self.skip = nn.Conv3d(skip, width, 1)
        self.gate = nn.Conv3d(gate, width, 1, bias=False)
        self.psi = nn.Conv3d(width, 1, 1)

    def forward(self, skip, gate):
        raised = F.interpolate(self.gate(gate), skip.shape[2:], mode='trilinear')
        return skip * self.psi(F.relu(self.skip(skip) + raised)).sigmoid()


class Layers(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.first = nn.Conv3d(1, 8, 3, padding=1)
        self.norm0 = nn.InstanceNorm3d(8, affine=True)
        self.grouped = nn.Conv3d(8, 12, 3, padding=2, dilation=2, groups=4, bias=False)
        self.prelu = nn.PReLU(12)
        self.norm1 = nn.GroupNorm(3, 12)
        self.depthwise = nn.Conv3d(12, 12, (1, 3, 3), padding=(0, 1, 1), groups=12, bias=False)
        self.norm2 = nn.BatchNorm3d(12, eps=1e-6)
        self.squeeze_excite = Squeeze(12, 3)
        self.low = Residual(12, 10)
        self.even = nn.Conv3d(12, 6, 2, 2, bias=False)
        self.dense = nn.Linear(40, 9)
        self.attention = Gate(12, 9, 6)
        self.up = nn.ConvTranspose3d(9, 5, 2, 2)
        self.near = nn.Conv3d(9, 3, 1, bias=False)
        self.smooth = nn.Conv3d(9, 3, 1, bias=False)
        self.output = nn.Conv3d(23, classes, 1)

    def forward(self, x):
        x = F.gelu(self.norm0(self.first(x)))
        x = F.silu(self.norm1(self.prelu(self.grouped(x))))
        skip = self.squeeze_excite(self.norm2(self.depthwise(x)))
        odd = [n for size in reversed(skip.shape[2:]) for n in (0, size % 2)]
        deep = torch.cat(
            (
                F.avg_pool3d(skip, 2, ceil_mode=True),
                self.low(skip),
                F.logsigmoid(self.even(F.pad(skip, odd))),
                F.max_pool3d(skip, 2, ceil_mode=True).tanh(),
            ),
            1,
        )
        deep = self.dense(deep.movedim(1, -1)).movedim(-1, 1)
        deep = deep * (deep.softmax(1) + 0.5)
        depth, height, width = skip.shape[2:]
        up = self.up(deep)[:, :, :depth, :height, :width]
        near = F.interpolate(self.near(deep), skip.shape[2:], mode='nearest-exact')
        smooth = F.interpolate(self.smooth(deep), skip.shape[2:], mode='trilinear')
        whole = torch.cat((self.attention(skip, deep), up, near, smooth), 1)
        moved = F.pad(whole, (0, 0, 1, 0))[:, :, :, :height]
        peak = moved.amax((2, 3, 4), keepdim=True)
        return self.output(torch.where(moved < 0.2, F.leaky_relu(moved, 0.3), moved**2) / (peak.abs() + 1))


def main():
    weights, model = sys.argv[1:3]
    size = [int(n) for n in sys.argv[3:]]
    network = Layers(3).eval()
    found = load_file(weights)
    # PyTorch counts the batches that its statistics come from; nothing depends on that here.
    found['norm2.num_batches_tracked'] = torch.tensor(1)
    network.load_state_dict(found, strict=True)
    onnx.checker.check_model(model, full_check=True)
    count = size[0] * size[1] * size[2]
    image = (torch.arange(count) % 17 / 17).reshape(1, 1, *size)
    with torch.no_grad():
        scores = network(image)[0].permute(1, 2, 3, 0)
    print(json.dumps(scores.flatten().tolist()))


main()
