//! The stopwatch of experiment 1.2.

use std::time::Duration;

use ch01_tensors::devices::{is_cpu, missing_gpus, side_by_side};
use ch01_tensors::matmul::{Repeat, SquareMatrix, time_square};

fn repeat(times: usize, milliseconds: u64) -> Repeat {
    Repeat {
        times,
        at_most: Duration::from_millis(milliseconds),
    }
}

#[test]
fn a_product_is_timed_and_right_on_every_device() {
    let matrix = SquareMatrix::random(33, 42);
    let device = common::device::open("auto").unwrap().device;
    for device in side_by_side(&device) {
        let timing = time_square(&matrix, &device.device, repeat(3, 10_000)).unwrap();
        assert_eq!((timing.size, timing.products), (33, 3), "{}", device.name);
        assert!(timing.seconds > 0.0 && timing.milliseconds() > 0.0);
        assert!(timing.error < 1e-3, "{}: {}", device.name, timing.error);
        let operations = timing.gigaflops() * 1e9 * timing.seconds / 3.0;
        assert!((operations - 2.0 * 33_f64.powi(3)).abs() < 1.0);
    }
}

#[test]
fn at_least_one_product_is_timed() {
    let device = common::device::open("auto").unwrap().device;
    let matrix = SquareMatrix::random(16, 1);
    assert_eq!(
        time_square(&matrix, &device, repeat(100, 0))
            .unwrap()
            .products,
        1
    );
    assert_eq!(
        time_square(&matrix, &device, repeat(0, 1000))
            .unwrap()
            .products,
        1
    );
}

#[test]
fn the_seed_decides_the_matrix_and_its_numbers_are_from_0_to_1() {
    let device = common::device::open("auto").unwrap().device;
    let values = |seed| {
        let matrix = SquareMatrix::random(20, seed).tensor(&device);
        assert_eq!(matrix.dims(), [20, 20]);
        matrix.into_data().try_to_vec::<f32>().unwrap()
    };
    assert_eq!(values(1), values(1));
    assert_ne!(values(1), values(2));
    assert!(values(1).iter().all(|x| (0.0..1.0).contains(x)));
    let mean = values(1).iter().sum::<f32>() / 400.0;
    assert!((mean - 0.5).abs() < 0.06, "{mean}");
}

#[test]
fn the_device_of_the_run_comes_first_and_none_comes_twice() {
    for name in ["flex", "ndarray"] {
        let Ok(asked) = common::device::open(name) else {
            continue;
        };
        let devices = side_by_side(&asked.device);
        assert_eq!(devices[0].name, name);
        assert!(is_cpu(&devices[0]));
        for (i, device) in devices.iter().enumerate() {
            assert!(
                devices[..i]
                    .iter()
                    .all(|other| other.device != device.device)
            );
        }
    }
}

#[test]
fn what_is_missing_comes_with_the_command_that_brings_it() {
    let lines = missing_gpus();
    assert_eq!(lines.len(), 2);
    if !cfg!(feature = "wgpu") {
        assert!(lines[0].contains("--features wgpu"), "{}", lines[0]);
    }
    if !cfg!(feature = "cuda") {
        assert!(lines[1].contains("--features cuda"), "{}", lines[1]);
    }
}
