"""Takes exported weights into a U-Net of PyTorch and checks the ONNX model beside them.

    python read_network.py WEIGHTS.safetensors MODEL.onnx NORM DEPTH HEIGHT WIDTH

Prints the probabilities of an image, [depth, height, width, class], as JSON.
"""
import json
import sys

import onnx
import torch
from safetensors.torch import load_file
from torch import nn


def norm_layer(kind, channels):
    if kind == 'batch':
        return nn.BatchNorm3d(channels, eps=1e-6)
    if kind == 'instance':
        return nn.InstanceNorm3d(channels, affine=True)
    if kind == 'group':
        return nn.GroupNorm(4, channels)
    return nn.Identity()


class Block(nn.Conv3d):
    def __init__(self, cin, cout, norm):
        super().__init__(cin, cout, 3, padding=1, bias=norm == 'none')
        self.norm = norm_layer(norm, cout)

    def forward(self, x):
        return nn.functional.leaky_relu(self.norm(super().forward(x)), 0.1)


class Level(nn.Module):
    def __init__(self, cin, cout, norm, up=False):
        super().__init__()
        if up:
            self.transpose = nn.ConvTranspose3d(cin, cout, 2, 2, bias=False)
        self.conv0 = Block(2 * cout if up else cin, cout, norm)
        self.conv1 = Block(cout, cout, norm)

    def forward(self, x, skip=None):
        if skip is not None:
            depth, height, width = skip.shape[2:]
            x = torch.cat((self.transpose(x)[:, :, :depth, :height, :width], skip), 1)
        return self.conv1(self.conv0(x))


class UNet(nn.Module):
    def __init__(self, base, levels, classes, norm, channels=1):
        super().__init__()
        self.levels = levels
        for n in range(levels):
            setattr(self, f'down{n}', Level(base * 2 ** (n - 1) if n else channels, base * 2**n, norm))
        for n in range(levels - 1):
            setattr(self, f'up{n}', Level(base * 2 ** (n + 1), base * 2**n, norm, up=True))
        self.output = nn.Conv3d(base, classes, 1)

    def forward(self, x):
        skips = []
        for n in range(self.levels):
            x = getattr(self, f'down{n}')(nn.functional.max_pool3d(x, 2, ceil_mode=True) if n else x)
            skips.append(x)
        for n in reversed(range(self.levels - 1)):
            x = getattr(self, f'up{n}')(x, skips[n])
        return self.output(x)


def main():
    weights, model, norm = sys.argv[1:4]
    size = [int(n) for n in sys.argv[4:]]
    network = UNet(4, 3, 3, norm).eval()
    network.load_state_dict(load_file(weights), strict=True)
    onnx.checker.check_model(model, full_check=True)
    count = size[0] * size[1] * size[2]
    image = (torch.arange(count) % 17 / 17).reshape(1, 1, *size)
    with torch.no_grad():
        probabilities = network(image).softmax(1)[0].permute(1, 2, 3, 0)
    print(json.dumps(probabilities.flatten().tolist()))


main()
