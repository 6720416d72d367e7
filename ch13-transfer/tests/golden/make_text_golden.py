"""Writes text_bert.*, text_distilbert.* and text_golden.json: what Hugging Face's models compute with tiny random weights.

    python make_text_golden.py        (needs torch, transformers, safetensors; this run: torch 2.15, transformers 5.24)

For each model: its weights as `save_pretrained` names them, in single precision, its config, token numbers with padding, the output in double precision
where no padding is, and the gradients of sum(output * direction), `direction` as in `golden_setup::noise` and zero at padding, in a file of the same
names as the weights.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "common/tests/golden_setup"))
from golden import noise

FOLDER = Path(__file__).parent
# Two texts, the second one with two places of padding (number 0).
IDS = [[2, 7, 19, 11, 5, 3], [2, 23, 14, 3, 0, 0]]


def models():
    yield "bert", BertModel(
        BertConfig(
            vocab_size=24,
            hidden_size=8,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=12,
            max_position_embeddings=10,
            type_vocab_size=2,
            initializer_range=0.5,
        )
    )
    yield "distilbert", DistilBertModel(
        DistilBertConfig(
            vocab_size=24,
            dim=8,
            n_layers=2,
            n_heads=2,
            hidden_dim=12,
            max_position_embeddings=10,
            initializer_range=0.5,
        )
    )


def main():
    golden = {"ids": IDS}
    for k, (name, model) in enumerate(models()):
        with torch.no_grad():
            for i, (path, parameter) in enumerate(model.named_parameters()):
                values = torch.tensor(noise(100 * k + i, parameter.numel()), dtype=torch.float32)
                is_norm = "norm" in path.lower()
                values = 1 + 0.2 * values if is_norm and path.endswith("weight") else 0.6 * values
                parameter.copy_(values.float().reshape(parameter.shape))
        save_file(model.state_dict(), FOLDER / f"text_{name}.safetensors")
        (FOLDER / f"text_{name}.json").write_text(model.config.to_json_string() + "\n")
        model = model.double().eval()
        ids = torch.tensor(IDS)
        mask = (ids != 0).long()
        output = model(input_ids=ids, attention_mask=mask).last_hidden_state
        direction = torch.from_numpy(noise(2000, output.numel()))
        direction = direction.reshape(output.shape) * mask.unsqueeze(2)
        (output * direction).sum().backward()
        zeros = lambda p: torch.zeros_like(p) if p.grad is None else p.grad
        gradients = {path: zeros(p).float() for path, p in model.named_parameters()}
        save_file(gradients, FOLDER / f"text_{name}_gradients.safetensors")
        parameters = sum(p.numel() for path, p in model.named_parameters() if "pooler" not in path)
        golden[name] = {
            "parameters": parameters,
            "output": [round(v, 7) for v in output[mask.bool()].flatten().tolist()],
        }
    (FOLDER / "text_golden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
