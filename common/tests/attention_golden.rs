//! A transformer encoder layer on `MultiHeadAttention` gives PyTorch's numbers: output and all gradients, without a mask,
//! with padding and causal.
//!
//! The numbers are in `attention_golden/golden.json`, written by `attention_golden/make_golden.py`.

mod kernel_setup;

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::{Bool, Device, Tensor, TensorData};
use common::kernels::{AttentionMask, relu};
use common::nn::{Linear, LinearConfig, MultiHeadAttention, MultiHeadAttentionConfig};
use kernel_setup::{assert_close, random, reference, values};
use serde_json::Value;

/// Post-norm, ReLU, no dropout: PyTorch's default without its dropout.
#[derive(Module, Debug)]
struct EncoderLayer {
    attention: MultiHeadAttention,
    linear1: Linear,
    linear2: Linear,
    norm1: LayerNorm,
    norm2: LayerNorm,
}

impl EncoderLayer {
    fn forward(&self, x: Tensor<3>, mask: &AttentionMask) -> Tensor<3> {
        let x = self
            .norm1
            .forward(x.clone() + self.attention.self_attention(x, mask));
        let hidden = relu(self.linear1.forward(x.clone())); // [B, T, hidden]
        self.norm2.forward(x + self.linear2.forward(hidden))
    }
}

fn golden() -> Value {
    serde_json::from_slice(&std::fs::read("tests/attention_golden/golden.json").unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    let list = value.as_array().expect("a list of numbers");
    list.iter().map(|v| v.as_f64().unwrap() as f32).collect()
}

/// Weights of linear layers are transposed in PyTorch.
fn transposed(values: &[f32], [outputs, inputs]: [usize; 2]) -> Vec<f32> {
    (0..values.len())
        .map(|i| values[i % outputs * inputs + i / outputs])
        .collect()
}

fn shape(golden: &Value, name: &str) -> Vec<usize> {
    let shape = golden["shapes"][name].as_array().unwrap();
    shape.iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

fn matrix(golden: &Value, name: &str, device: &Device) -> Param<Tensor<2>> {
    let shape: [usize; 2] = shape(golden, name).try_into().unwrap();
    let values = transposed(&numbers(&golden["parameters"][name]), shape);
    Param::from_tensor(Tensor::from_data(
        TensorData::new(values, [shape[1], shape[0]]),
        device,
    ))
}

fn vector(golden: &Value, name: &str, device: &Device) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::from_floats(
        numbers(&golden["parameters"][name]).as_slice(),
        device,
    ))
}

fn layer(golden: &Value, device: &Device) -> EncoderLayer {
    let [_, _, d_model, heads, hidden] = sizes(golden);
    let matrix = |name: &str| matrix(golden, name, device);
    let vector = |name: &str| vector(golden, name, device);
    let mut layer = EncoderLayer {
        attention: MultiHeadAttentionConfig::new(d_model, heads).init(device),
        linear1: LinearConfig::new(d_model, hidden).init(device),
        linear2: LinearConfig::new(hidden, d_model).init(device),
        norm1: LayerNormConfig::new(d_model).init(device),
        norm2: LayerNormConfig::new(d_model).init(device),
    };
    layer.attention.projection.weight = matrix("self_attn.in_proj_weight");
    layer.attention.projection.bias = Some(vector("self_attn.in_proj_bias"));
    layer.attention.output.weight = matrix("self_attn.out_proj.weight");
    layer.attention.output.bias = Some(vector("self_attn.out_proj.bias"));
    layer.linear1.weight = matrix("linear1.weight");
    layer.linear1.bias = Some(vector("linear1.bias"));
    layer.linear2.weight = matrix("linear2.weight");
    layer.linear2.bias = Some(vector("linear2.bias"));
    layer.norm1.gamma = vector("norm1.weight");
    layer.norm1.beta = Some(vector("norm1.bias"));
    layer.norm2.gamma = vector("norm2.weight");
    layer.norm2.beta = Some(vector("norm2.bias"));
    layer
}

fn sizes(golden: &Value) -> [usize; 5] {
    let sizes = golden["sizes"].as_array().unwrap();
    std::array::from_fn(|i| sizes[i].as_u64().unwrap() as usize)
}

fn check(device: Device, name: &str, mask: impl Fn(&Value, &Device) -> AttentionMask) {
    let device = device.autodiff();
    let golden = golden();
    let [batch, time, d_model, ..] = sizes(&golden);
    let input = |name: &str| -> Tensor<3> {
        let values = numbers(&golden[name]);
        Tensor::from_data(TensorData::new(values, [batch, time, d_model]), &device)
    };
    let layer = layer(&golden, &device);
    let x = input("x").require_grad();
    let out = layer.forward(x.clone(), &mask(&golden, &device));
    let grads = (out.clone() * input("weighting")).sum().backward();
    let want = &golden[name];
    assert_close("output", &values(out), &numbers(&want["output"]));
    assert_close(
        "input",
        &values(x.grad(&grads).unwrap()),
        &numbers(&want["input gradient"]),
    );
    let mut matrices = 0;
    let mut check_matrix = |name: &str, linear: &Linear| {
        let shape: [usize; 2] = shape(&golden, name).try_into().unwrap();
        let want = transposed(&numbers(&want["gradients"][name]), shape);
        assert_close(name, &values(linear.weight.grad(&grads).unwrap()), &want);
        matrices += 1;
    };
    check_matrix("self_attn.in_proj_weight", &layer.attention.projection);
    check_matrix("self_attn.out_proj.weight", &layer.attention.output);
    check_matrix("linear1.weight", &layer.linear1);
    check_matrix("linear2.weight", &layer.linear2);
    let vectors = [
        (
            "self_attn.in_proj_bias",
            layer.attention.projection.bias.as_ref(),
        ),
        (
            "self_attn.out_proj.bias",
            layer.attention.output.bias.as_ref(),
        ),
        ("linear1.bias", layer.linear1.bias.as_ref()),
        ("linear2.bias", layer.linear2.bias.as_ref()),
        ("norm1.weight", Some(&layer.norm1.gamma)),
        ("norm1.bias", layer.norm1.beta.as_ref()),
        ("norm2.weight", Some(&layer.norm2.gamma)),
        ("norm2.bias", layer.norm2.beta.as_ref()),
    ];
    assert_eq!(
        matrices + vectors.len(),
        want["gradients"].as_object().unwrap().len(),
        "all parameters are compared"
    );
    for (name, parameter) in vectors {
        let gradient = values(parameter.unwrap().grad(&grads).unwrap());
        assert_close(name, &gradient, &numbers(&want["gradients"][name]));
    }
}

fn devices() -> [Device; 2] {
    [Device::flex(), reference()]
}

#[test]
fn an_encoder_layer_is_pytorchs() {
    for device in devices() {
        check(device, "none", |_, _| AttentionMask::none());
    }
}

#[test]
fn an_encoder_layer_with_padding_is_pytorchs() {
    for device in devices() {
        check(device, "padded", |golden, device| {
            let [batch, time, ..] = sizes(golden);
            let padding = golden["padding"].as_array().unwrap();
            let padding: Vec<bool> = padding.iter().map(|p| p.as_bool().unwrap()).collect();
            let padding: Tensor<2, Bool> =
                Tensor::from_data(TensorData::new(padding, [batch, time]), device);
            AttentionMask::padding(padding)
        });
    }
}

#[test]
fn a_causal_encoder_layer_is_pytorchs() {
    for device in devices() {
        check(device, "causal", |_, _| AttentionMask::causal());
    }
}

/// PyTorch's `nn.MultiheadAttention`: U(-k, k) with k = sqrt(6 / (d + 3 d)) for the packed projection, and biases of 0.
#[test]
fn multi_head_attention_starts_as_pytorchs() {
    let d = 64;
    let layer = MultiHeadAttentionConfig::new(d, 4).init(&Device::flex());
    assert_eq!(layer.num_params(), 4 * d * d + 4 * d);
    let bias = |linear: &Linear| values(linear.bias.as_ref().unwrap().val());
    assert!(
        bias(&layer.projection)
            .iter()
            .chain(&bias(&layer.output))
            .all(|b| *b == 0.0)
    );
    for (linear, bound) in [
        (&layer.projection, (6.0 / (4 * d) as f32).sqrt()),
        (&layer.output, 1.0 / (d as f32).sqrt()),
    ] {
        let weight = values(linear.weight.val());
        let variance = weight.iter().map(|v| v * v).sum::<f32>() / weight.len() as f32;
        assert!(weight.iter().all(|v| v.abs() <= bound));
        assert!(
            (variance / (bound * bound / 3.0) - 1.0).abs() < 0.1,
            "{variance}"
        );
    }
}

/// The three ways to call it agree, and dropout is for training only.
#[test]
fn multi_head_attention_of_one_sequence_is_self_attention() {
    let device = Device::flex();
    let layer = MultiHeadAttentionConfig::new(12, 3)
        .with_dropout(0.5)
        .init(&device);
    let x = Tensor::<1>::from_floats(random([2 * 5 * 12]).as_slice(), &device).reshape([2, 5, 12]);
    let mask = AttentionMask::causal();
    let want = values(layer.self_attention(x.clone(), &mask));
    let out = layer.forward(x.clone(), x.clone(), x.clone(), &mask);
    assert_close("forward", &values(out), &want);
    let (out, weights) = layer.forward_with_weights(x.clone(), x.clone(), x.clone(), &mask);
    assert_close("with weights", &values(out), &want);
    assert_eq!(weights.dims(), [2, 3, 5, 5]);
    let training = layer.train().self_attention(x.autodiff(), &mask);
    assert_ne!(values(training.inner()), want);
}

#[test]
#[should_panic(expected = "5 heads can't share 12 columns")]
fn heads_that_do_not_divide_the_columns_fail() {
    MultiHeadAttentionConfig::new(12, 5).init(&Device::flex());
}
