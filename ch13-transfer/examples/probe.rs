use burn::tensor::{Device, Tensor, TensorData};
use ch13_transfer::{efficientnet::EfficientNetLite0, resnet::ResNetConfig};
use common::train::{Network, count_parameters, cross_entropy};
use std::time::Instant;
fn input(n: usize, side: usize, d: &Device) -> Tensor<4> {
    let v: Vec<f32> = (0..n * 3 * side * side)
        .map(|k| (k % 17) as f32 / 8.5 - 1.0)
        .collect();
    Tensor::from_data(TensorData::new(v, [n, 3, side, side]), d)
}
fn main() {
    let d = Device::flex();
    let net = EfficientNetLite0::load(
        "/work/shared/data/weights/efficientnet-lite0-57934424.pth".as_ref(),
        &d,
    )
    .unwrap();
    println!("{}", count_parameters(&net));
    let y = net
        .forward(input(1, 224, &d))
        .into_data()
        .try_to_vec::<f32>()
        .unwrap();
    println!("{:?} {} {}", &y[..8], y[892], y[844]);
    let r = ResNetConfig::resnet20(10)
        .load(
            "/work/shared/data/weights/resnet20-12fca82f.th".as_ref(),
            &d,
        )
        .unwrap();
    println!(
        "{:?} {}",
        r.forward(input(1, 32, &d))
            .into_data()
            .try_to_vec::<f32>()
            .unwrap(),
        count_parameters(&r)
    );
    let x = input(64, 128, &d);
    for _ in 0..3 {
        let t = Instant::now();
        let f = net.features(x.clone()).into_data();
        println!("effnet forward 64: {:?} {}", t.elapsed(), f.num_elements());
    }
    let a = d.clone().autodiff();
    let resnet = ResNetConfig::resnet18(2).init(&a);
    let eff = EfficientNetLite0::new(2, &a);
    println!(
        "{} {}",
        count_parameters(&resnet),
        count_parameters(&EfficientNetLite0::new(1000, &a))
    );
    let x = input(32, 128, &a);
    let y = Tensor::from_data(TensorData::new(vec![1i64; 32], [32]), &a);
    for _ in 0..3 {
        let t = Instant::now();
        let g = cross_entropy(resnet.forward(x.clone()), y.clone()).backward();
        println!("resnet18 step 32: {:?}", t.elapsed());
        drop(g);
        let t = Instant::now();
        let out = eff.forward(x.clone());
        println!("effnet step 32 forward: {:?}", t.elapsed());
        let g = cross_entropy(out, y.clone()).backward();
        println!("effnet step 32: {:?}", t.elapsed());
        drop(g);
    }
}
