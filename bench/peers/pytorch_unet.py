"""Training steps of the U-Net of Hou et al. 2019 in PyTorch: the network, loss and optimizer of `halomesh bench`.

    python pytorch_unet.py --mode default --size 64 --base 16 --steps 3 --threads 2 [--device cuda]

Levels of two 3x3x3 convolutions without bias, each with batch norm, leaky ReLU and dropout; max pooling down, 2x2x2
transposed convolutions up, skips by concatenation, 1x1x1 convolution to three classes. Loss: 0.8 weighted cross-entropy
+ 0.2 Dice of the lesion. Adam. Writes one JSON object.
"""

import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional as F

KEEP = 0.5
SLOPE = 0.1
CLASS_WEIGHTS = (1.0, 8.0, 16.0)
MODES = ("default", "channels_last", "channels_last_bf16", "channels_last_compiled", "channels_last_bf16_compiled")


class Block(nn.Module):
    """Convolution, norm, activation and, after all but the very first, dropout."""

    def __init__(self, channels_in, channels, dropout=True):
        super().__init__()
        self.conv = nn.Conv3d(channels_in, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm3d(channels, eps=1e-6, momentum=0.1)
        self.dropout = dropout

    def forward(self, x):
        x = F.leaky_relu(self.norm(self.conv(x)), SLOPE)
        return F.dropout(x, 1 - KEEP) if self.dropout else x


class UNet(nn.Module):
    def __init__(self, base, levels=4, classes=3):
        super().__init__()
        self.down, self.transposed, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        before = 1
        for level in range(levels):
            width = base * 2**level
            self.down.append(nn.Sequential(Block(before, width, dropout=level > 0), Block(width, width)))
            before = width
        for level in reversed(range(levels - 1)):
            width = base * 2**level
            self.transposed.append(nn.ConvTranspose3d(2 * width, width, 2, stride=2, bias=False))
            self.up.append(nn.Sequential(Block(2 * width, width), Block(width, width)))
        self.output = nn.Conv3d(base, classes, 1)

    def forward(self, x):
        skips = []
        for level, blocks in enumerate(self.down):
            if level > 0:
                skips.append(x)
                x = F.max_pool3d(x, 2)
            x = blocks(x)
        for transposed, blocks in zip(self.transposed, self.up):
            x = F.dropout(transposed(x), 1 - KEEP)
            x = blocks(torch.cat([x, skips.pop()], 1))
        return self.output(x)


def loss_of(scores, labels, weights):
    entropy = F.cross_entropy(scores, labels, weight=weights, reduction="none").mean()
    p, t = scores.softmax(1)[:, 2], (labels == 2).float()
    dice = -2 * (p * t).sum() / (p.sum() + t.sum() + 0.1)
    return 0.8 * entropy + 0.2 * dice


def peak_bytes():
    """Highest resident memory of this process; 0 where the system does not say."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=MODES, default="default")
    for name, value in (("size", 64), ("base", 16), ("steps", 3), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    args = parser.parse_args()
    bf16, compiled = "bf16" in args.mode, "compiled" in args.mode

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    model = UNet(args.base).to(args.device)
    # On a GPU the volume stays there from step to step, which is the less that a step can do.
    image = torch.rand(1, 1, args.size, args.size, args.size, device=args.device)
    labels = torch.randint(0, 3, (1, args.size, args.size, args.size), device=args.device)
    weights = torch.tensor(CLASS_WEIGHTS, device=args.device)
    if args.mode != "default":
        model = model.to(memory_format=torch.channels_last_3d)
        image = image.to(memory_format=torch.channels_last_3d)
    network = torch.compile(model) if compiled else model
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(args.device, dtype=torch.bfloat16, enabled=bf16):
            scores = network(image)
        loss = loss_of(scores.float(), labels, weights)
        loss.backward()
        optimizer.step()
        return loss.item()

    seconds, losses = [], []
    for _ in range(args.steps + 1):
        start = time.perf_counter()
        losses.append(step())
        seconds.append(time.perf_counter() - start)
    result = {
        "version": torch.__version__,
        "parameters": sum(p.numel() for p in model.parameters()),
        "warmUp": seconds[0],
        "seconds": seconds[1:],
        "losses": losses,
        "peakRssBytes": peak_bytes(),
        "deviceBytes": torch.cuda.max_memory_allocated() if args.device == "cuda" else 0,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
