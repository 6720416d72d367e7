"""Writes tiny.pth, tiny.safetensors and photo.json: the weights of a small Faster R-CNN with ResNet and feature pyramid, random but fixed,
as torchvision saves them, and what it finds on a picture. `photo_detector.rs` loads both files and compares.

Needs `pip install torch torchvision safetensors numpy`; the test needs none of them. Run it in its own folder.

`python make_photo_detector.py full FILE.pth` writes the weights of the real size (168 MB) and prints what that network finds, for a comparison
by hand with `cargo run -p ch08-detection -- detect picture.png --weights FILE.pth --score 0.02`.

tiny.pth is what torchvision's COCO file is: PyTorch's old format, the old names of pyramid and proposal network. tiny.safetensors has the names
of today.
"""

import json
import re
import sys

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.resnet import Bottleneck, ResNet, resnet50
from torchvision.ops.misc import FrozenBatchNorm2d
from torchvision.transforms.functional import to_tensor

torch.set_num_threads(2)
torch.manual_seed(8)


class TinyResNet(ResNet):
    """torchvision's, with fewer channels."""

    def __init__(self, width, blocks):
        nn.Module.__init__(self)
        self._norm_layer = FrozenBatchNorm2d
        self.inplanes, self.dilation, self.groups, self.base_width = width, 1, 1, 64
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = FrozenBatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._make_layer(Bottleneck, width, blocks[0])
        self.layer2 = self._make_layer(Bottleneck, 2 * width, blocks[1], stride=2)
        self.layer3 = self._make_layer(Bottleneck, 4 * width, blocks[2], stride=2)
        self.layer4 = self._make_layer(Bottleneck, 8 * width, blocks[3], stride=2)


def detector(body, width, channels, hidden, classes, shorter, longer):
    layers = {f"layer{i + 1}": str(i) for i in range(4)}
    inputs = [4 * width << i for i in range(4)]
    backbone = BackboneWithFPN(body, layers, inputs, channels)
    model = FasterRCNN(
        backbone,
        min_size=shorter,
        max_size=longer,
        box_head=TwoMLPHead(channels * 49, hidden),
        box_predictor=FastRCNNPredictor(hidden, classes),
    )
    for module in model.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.eps = 0.0
            for name, low, high in (("weight", 0.7, 1.3), ("bias", -0.3, 0.3), ("running_mean", -0.3, 0.3), ("running_var", 0.5, 1.5)):
                getattr(module, name).uniform_(low, high)
    for head, scale in ((model.rpn.head, 0.3), (model.roi_heads, 0.5)):
        for parameter in head.parameters():
            nn.init.normal_(parameter, 0.0, scale if parameter.dim() == 1 else scale / parameter[0].numel() ** 0.5 * 4)
    return model.eval()


def picture():
    """Coloured waves, by a formula: 90 x 70 pixels."""
    y, x = np.mgrid[0:70, 0:90]
    channels = [(x * (5 + c) + y * (3 + 2 * c) + x * y // (7 + c)) % 256 for c in range(3)]
    return np.stack(channels, 2).astype(np.uint8)


def found(model):
    with torch.no_grad():
        (result,) = model([to_tensor(picture())])
    return {name: result[name].tolist() for name in ("boxes", "labels", "scores")}


def old_names(state):
    """As they were before torchvision 0.13."""
    state = {re.sub(r"(inner_blocks|layer_blocks)\.(\d)\.0\.", r"\1.\2.", name): value for name, value in state.items()}
    return {name.replace("rpn.head.conv.0.0.", "rpn.head.conv."): value for name, value in state.items()}


if len(sys.argv) == 3 and sys.argv[1] == "full":
    model = detector(resnet50(norm_layer=FrozenBatchNorm2d), 64, 256, 1024, 91, 800, 1333)
    torch.save(old_names(model.state_dict()), sys.argv[2], _use_new_zipfile_serialization=False)
    Image.fromarray(picture()).save("picture.png")
    everything = found(model)
    for i in range(min(10, len(everything["labels"]))):
        print(everything["labels"][i], everything["scores"][i], everything["boxes"][i])
else:
    model = detector(TinyResNet(2, [1, 2, 1, 1]), 2, 8, 16, 5, 64, 100)
    torch.save(old_names(model.state_dict()), "tiny.pth", _use_new_zipfile_serialization=False)
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, "tiny.safetensors")
    result = found(model)
    print(len(result["labels"]), result["labels"][:20], result["scores"][:5], result["scores"][-3:])
    shown = {"labels": result["labels"], "scores": result["scores"], "boxes": result["boxes"][:12]}
    with open("photo.json", "w") as file:
        json.dump(json.loads(json.dumps(shown), parse_float=lambda text: float(f"{float(text):.7g}")), file)
