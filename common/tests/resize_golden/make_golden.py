"""Writes golden.json: pictures as torchvision's Resize and CenterCrop make them, which `resize_golden.rs` compares with, byte for byte.

Needs `pip install torchvision pillow numpy`; the test needs none of them. Run it in its own folder.
"""

import json

import numpy as np
from PIL import Image
from torchvision import transforms


def picture(width, height):
    """Coloured waves, by a formula that the test has too."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    channels = [(x * (5 + c) + y * (3 + 2 * c) + x * y // (7 + c)) % 256 for c in range(3)]
    return Image.fromarray(np.stack(channels, axis=2).astype(np.uint8))


def fnv(data):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


cases = [
    (500, 374, 130, 128),
    (160, 213, 130, 128),
    (131, 250, 130, 128),
    (90, 61, 130, 128),
    (130, 131, 130, 128),
    (333, 47, 26, 25),
    (33, 64, 33, 20),
]
results = []
for width, height, shorter, side in cases:
    transform = transforms.Compose([transforms.Resize(shorter), transforms.CenterCrop(side)])
    pixels = np.asarray(transform(picture(width, height))).transpose(2, 0, 1)
    assert pixels.shape == (3, side, side)
    results.append({
        "size": [width, height],
        "shorter": shorter,
        "side": side,
        "first": pixels.flatten()[:8].tolist(),
        "fnv": fnv(pixels.tobytes()),
    })
with open("golden.json", "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(r) for r in results) + "\n]\n")
