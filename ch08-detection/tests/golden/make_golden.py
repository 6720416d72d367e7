"""Writes golden.json: what PyTorch computes with the chapter's segmentation networks, and what torchvision computes with the parts of Faster
R-CNN and with a whole one, losses and gradients; and average precisions by pycocotools. `golden.rs` compares with it.

Needs `pip install torch torchvision pycocotools numpy`; the tests need none of them. Run it in its own folder.

What it shares with the other chapters, and how numbers are made, is in `common/tests/golden_setup/golden.py`.
"""

import contextlib
import io
import sys
from pathlib import Path

import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.ops import MultiScaleRoIAlign, batched_nms, box_iou, nms, roi_align
from torchvision.ops.poolers import LevelMapper

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import count, described, golden, noise, prepared, tensor, write

SLOPE = 0.01
DISTANCE = 4e-6


def boxes(seed, n, side):
    """n boxes of 4 to 28 pixels a side on a square of this side, on a grid of 1/64 pixels."""
    x = np.floor((noise(seed, 4 * n).reshape(n, 4) + 1) / 2 * 4096) / 4096
    corner, size = x[:, :2] * (side - 28), 4 + 24 * x[:, 2:]
    return torch.from_numpy(np.round(np.concatenate([corner, corner + size], 1) * 64) / 64)


def conv_norm(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.LeakyReLU(SLOPE))


def double(inputs, outputs):
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)


def plain_cnn():
    return nn.Sequential(conv_norm(3, 32), *[conv_norm(32, 32) for _ in range(5)], nn.Conv2d(32, 1, 3, padding=1))


def transposed_cnn():
    return nn.Sequential(
        conv_norm(3, 32),
        conv_norm(32, 32),
        nn.MaxPool2d(2),
        conv_norm(32, 64),
        conv_norm(64, 64),
        conv_norm(64, 64),
        double(64, 32),
        nn.BatchNorm2d(32),
        nn.LeakyReLU(SLOPE),
        conv_norm(32, 32),
        nn.Conv2d(32, 1, 3, padding=1),
    )


class UNetBlock2d(nn.Module):
    def __init__(self, inputs, mid, out=None, layers=1, sub=None):
        super().__init__()

        def side(first):
            return nn.Sequential(conv_norm(first, mid), *[conv_norm(mid, mid) for _ in range(layers - 1)])

        self.into = side(inputs)
        self.sub = sub
        self.enlarge = double(mid, mid) if sub else None
        self.out_of = side(2 * mid if sub else mid)
        self.narrow = nn.Conv2d(mid, out, 1) if out else None

    def forward(self, x):
        x = self.into(x)
        if self.sub is not None:
            x = torch.cat([x, self.enlarge(self.sub(nn.functional.max_pool2d(x, 2)))], 1)
        x = self.out_of(x)
        return x if self.narrow is None else self.narrow(x)


def u_net():
    deepest = UNetBlock2d(64, 128, 64, 2)
    levels = UNetBlock2d(3, 32, None, 2, UNetBlock2d(32, 64, 32, 2, deepest))
    return nn.Sequential(levels, nn.Conv2d(32, 1, 3, padding=1))


class DigitBackbone(nn.Sequential):
    out_channels = 128

    def __init__(self):
        parts, inputs = [], 1
        for filters, depth in ((32, 3), (64, 3), (128, 2)):
            if inputs > 1:
                parts.append(nn.MaxPool2d(2))
            for _ in range(depth):
                parts.append(conv_norm(inputs, filters))
                inputs = filters
        super().__init__(*parts)


REGIONS = [
    [0, 3.0, 5.0, 21.0, 30.0],
    [1, 0.0, 0.0, 28.0, 36.0],
    [0, 10.25, 7.5, 11.0, 8.0],
    [1, -9.0, -14.0, 13.0, 9.0],
    [0, 20.0, 25.0, 44.0, 61.0],
    [1, 60.0, 70.0, 80.0, 90.0],
    [1, 26.5, 33.25, 28.0, 36.0],
]


def aligned(output, samples):
    features = tensor(3000, 2, 3, 9, 7).requires_grad_()
    pooled = roi_align(features, torch.tensor(REGIONS, dtype=torch.float64), output, 0.25, samples)
    (pooled * tensor(2000, *pooled.shape)).sum().backward()
    return {"output": described(pooled), "gradient": described(features.grad)}


def anchors(sizes, ratios, maps, picture):
    generator = AnchorGenerator(sizes, (ratios,) * len(sizes))
    images = ImageList(torch.zeros(1, 3, *picture), [picture])
    (found,) = generator(images, [torch.zeros(1, 4, *size) for size in maps])
    return {"count": len(found), "values": described(found)}


def coder(weights):
    coder = BoxCoder(weights)
    to, start = boxes(1, 20, 100), boxes(2, 20, 100)
    deltas = 3.0 * tensor(3, 20, 4)
    return {
        "encoded": described(coder.encode_single(to, start)),
        "decoded": described(coder.decode_single(deltas, start)),
    }


def matched(high, low, rescue):
    matches = Matcher(high, low, rescue)(box_iou(boxes(4, 6, 60), boxes(5, 300, 60)))
    return matches.tolist()


def suppressed(threshold):
    all_boxes, scores = boxes(6, 200, 80), torch.from_numpy(noise(7, 200))
    groups = torch.arange(200) % 3
    return {
        "nms": nms(all_boxes, scores, threshold).tolist(),
        "batched": batched_nms(all_boxes, scores, groups, threshold).tolist(),
    }


def levels():
    """Regions of all sizes on a pyramid, pooled."""
    maps = {str(i): tensor(3100 + i, 2, 3, 64 >> i, 80 >> i).requires_grad_() for i in range(4)}
    factor = torch.tensor([1.0, 2.0, 5.0, 9.0, 10.0]).repeat(4)[:, None].double()
    regions = [boxes(8, 20, 60) * factor, boxes(9, 20, 60) * factor]
    pooler = MultiScaleRoIAlign(["0", "1", "2", "3"], output_size=7, sampling_ratio=2)
    pooled = pooler(maps, regions, [(256, 320)] * 2)
    mapper = LevelMapper(2, 5)
    (pooled * tensor(2000, *pooled.shape)).sum().backward()
    return {
        "levels": mapper(regions).tolist(),
        "output": described(pooled),
        "gradients": [described(map.grad) for map in maps.values()],
    }


DIGITS = [[(8, 4.0, 9.0, 32.0, 37.0), (1, 17.0, 2.0, 45.0, 30.0)], [(4, 12.0, 16.0, 40.0, 44.0)]]


def detector(classes=11, side=48):
    """A whole detector with so few anchors that all of them are trained on: nothing is drawn."""
    model = FasterRCNN(
        DigitBackbone(),
        num_classes=classes,
        min_size=side,
        max_size=side,
        image_mean=[0.5],
        image_std=[0.229],
        rpn_anchor_generator=AnchorGenerator(((32,),), ((1.0,),)),
        box_roi_pool=MultiScaleRoIAlign(["0"], output_size=7, sampling_ratio=2),
    )
    model.transform.size_divisible = 1  # otherwise the pictures are padded
    prepared(model)
    pictures = [(tensor(4000 + i, 1, side, side) + 1) / 2 for i in range(2)]
    targets = [
        {"boxes": torch.tensor([d[1:] for d in digits]).double(), "labels": torch.tensor([d[0] for d in digits])}
        for digits in DIGITS
    ]
    losses = model(pictures, targets)
    sum(losses.values()).backward()
    return {
        "parameters": count(model),
        "losses": [
            losses[name].item()
            for name in ("loss_objectness", "loss_rpn_box_reg", "loss_classifier", "loss_box_reg")
        ],
        "gradients": [described(p.grad) for p in model.parameters()],
    }


def average_precisions(pictures=30, classes=4):
    """Objects, and detections that are objects moved a little or boxes elsewhere, judged by pycocotools."""
    images, annotations, results = [], [], []
    for i in range(pictures):
        images.append({"id": i + 1, "width": 100, "height": 100})
        objects, moved = boxes(100 + i, 1 + i % 5, 100).numpy(), np.round(3 * noise(200 + i, 24) * 64) / 64
        elsewhere, scores = boxes(300 + i, 6, 100).numpy(), noise(400 + i, 12)

        def width_and_height(corners):
            x1, y1, x2, y2 = map(float, corners)
            return [x1, y1, x2 - x1, y2 - y1]

        for k, corners in enumerate(objects):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i + 1,
                    "category_id": 1 + (i + k) % classes,
                    "bbox": width_and_height(corners),
                    "area": 1.0,
                    "iscrowd": 0,
                }
            )
            results.append(
                {
                    "image_id": i + 1,
                    "category_id": 1 + (i + k) % classes,
                    "bbox": width_and_height(corners + moved[4 * k : 4 * k + 4]),
                    "score": float(scores[k]),
                }
            )
        for k, corners in enumerate(elsewhere):
            results.append(
                {
                    "image_id": i + 1,
                    "category_id": 1 + k % classes,
                    "bbox": width_and_height(corners),
                    "score": float(scores[6 + k]),
                }
            )
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": images,
            "annotations": annotations,
            "categories": [{"id": c + 1, "name": str(c)} for c in range(classes)],
        }
        truth.createIndex()
        judge = COCOeval(truth, truth.loadRes(results), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    precision = judge.eval["precision"][:, :, :, 0, 2]  # (thresholds, recalls, classes)
    return {
        "AP": float(judge.stats[0]),
        "AP50": float(judge.stats[1]),
        "AP75": float(judge.stats[2]),
        "classes": precision.mean(1).T.tolist(),
    }


results = {
    "PlainCnn": golden(plain_cnn(), (2, 3, 8, 7), DISTANCE),
    "TransposedCnn": golden(transposed_cnn(), (2, 3, 8, 6), DISTANCE),
    "UNetBlock2d, deepest": golden(UNetBlock2d(3, 4, 5, 2), (2, 3, 6, 5), DISTANCE),
    "UNetBlock2d, one layer": golden(UNetBlock2d(3, 4), (2, 3, 6, 5), DISTANCE),
    "UNetBlock2d, nested": golden(UNetBlock2d(3, 4, None, 2, UNetBlock2d(4, 6, 4, 1)), (2, 3, 6, 8), DISTANCE),
    "UNet": golden(u_net(), (2, 3, 8, 12), DISTANCE),
    "roi_align 7x7": aligned([7, 7], 2),
    "roi_align 2x3": aligned([2, 3], 3),
    "anchors of a pyramid": anchors(
        ((32,), (64,), (128,), (256,), (512,)),
        (0.5, 1.0, 2.0),
        [(16, 24), (8, 12), (4, 6), (2, 3), (1, 2)],
        (64, 96),
    ),
    "anchors of digits": anchors(((32,),), (1.0,), [(25, 25)], (100, 100)),
    "anchors of several sizes": anchors(((8, 20, 33),), (0.3, 1.7), [(5, 7)], (43, 58)),
    "coder 1": coder((1.0, 1.0, 1.0, 1.0)),
    "coder 10": coder((10.0, 10.0, 5.0, 5.0)),
    "matches of anchors": matched(0.7, 0.3, True),
    "matches of proposals": matched(0.5, 0.5, False),
    "suppressed 0.5": suppressed(0.5),
    "suppressed 0.15": suppressed(0.15),
    "levels": levels(),
    "detector": detector(),
    "average precision": average_precisions(),
}


write(results)
print(results["detector"]["losses"])
print(results["average precision"]["AP"], results["average precision"]["AP50"])
