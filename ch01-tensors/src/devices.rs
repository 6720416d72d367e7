//! The devices that experiments 1.2 and 1.3 put side by side.

use burn::tensor::Device;
use common::device::{self, RunDevice};

/// The device of the run first, then the CPU backends of this build, then a GPU if one is in the build and answers.
pub fn side_by_side(of_the_run: &Device) -> Vec<RunDevice> {
    let mut devices: Vec<RunDevice> = Vec::new();
    // `auto` is a GPU only where there is real hardware: a software adapter is no accelerator.
    for name in ["flex", "ndarray", "auto"] {
        if let Ok(found) = device::open(name)
            && devices.iter().all(|known| known.device != found.device)
        {
            devices.push(found);
        }
    }
    let first = match devices.iter().position(|known| known.device == *of_the_run) {
        Some(at) => devices.remove(at),
        None => named(of_the_run),
    };
    devices.insert(0, first);
    devices
}

/// Whether this is the processor of the computer, and no accelerator.
pub fn is_cpu(device: &RunDevice) -> bool {
    ["flex", "ndarray"].contains(&device.name.as_str())
}

/// Why no GPU is among the devices, and how to get one: a line for each kind.
pub fn missing_gpus() -> Vec<String> {
    let kinds = [
        ("wgpu", cfg!(feature = "wgpu")),
        ("cuda", cfg!(feature = "cuda")),
    ];
    let reason = |(name, compiled_in)| match (compiled_in, device::open(name)) {
        (false, _) => format!(
            "{name} is not in this build: cargo run -p ch01-tensors --features {name} -- run 1.2 --device {name}"
        ),
        (true, Ok(_)) => format!(
            "{name} answers, but not from a graphics card; --device {name} uses it all the same"
        ),
        (true, Err(error)) => error.to_string(),
    };
    kinds.map(reason).to_vec()
}

/// A device that was asked for by a name of its own, such as `wgpu:1`.
fn named(device: &Device) -> RunDevice {
    let mut found = ["wgpu", "cuda"]
        .into_iter()
        .filter_map(|name| device::open(name).ok());
    found
        .find(|known| known.device == *device)
        .unwrap_or_else(|| RunDevice {
            name: format!("{device:?}"),
            device: device.clone(),
        })
}
