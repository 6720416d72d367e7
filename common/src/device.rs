//! `--device`: from a name on the command line to a Burn [`Device`] that answers.

use burn::tensor::{Device, Tensor};

use crate::{Error, Result, suggest};

/// The names that `--device` takes, with `:N` for the N-th GPU.
pub const NAMES: [&str; 5] = ["auto", "flex", "ndarray", "wgpu", "cuda"];

/// A device that has done a sum, and the name it goes by.
#[derive(Clone, Debug)]
pub struct RunDevice {
    /// `flex`, `ndarray`, `wgpu`, `wgpu:1`, `cuda`, ...
    pub name: String,
    /// Burn's device, without automatic differentiation.
    pub device: Device,
}

/// Opens the device called `name` and computes `1 + 1` on it, so that a missing driver shows here and not in
/// the middle of a run.
///
/// `auto` is a GPU if one is compiled in and answers, else the fastest CPU backend compiled in.
///
/// # Errors
/// [`Error::Usage`] for an unknown name, a backend that is not compiled in, or a device that does not
/// answer; the message says what to do.
pub fn open(name: &str) -> Result<RunDevice> {
    if name == "auto" {
        return open_auto();
    }
    let (kind, index) = match name.split_once(':') {
        None => (name, None),
        Some((kind, index)) => {
            let index = index.parse::<usize>().map_err(|_| {
                Error::Usage(format!(
                    "--device {name}: after the colon stands the number of a GPU, as in {kind}:0"
                ))
            })?;
            (kind, Some(index))
        }
    };
    let device = match (kind, index) {
        ("flex" | "ndarray", Some(_)) => {
            return Err(Error::Usage(format!(
                "--device {name}: {kind} runs on the processor and takes no number"
            )));
        }
        ("flex", _) => flex()?,
        ("ndarray", _) => ndarray()?,
        ("wgpu", _) => wgpu(index)?,
        ("cuda", _) => cuda(index)?,
        _ => {
            return Err(Error::Usage(format!(
                "--device {name}: no such device; there are {}",
                suggest::nearest_first(name, NAMES)
            )));
        }
    };
    probe(&device).map_err(|reason| no_answer(name, &reason))?;
    Ok(RunDevice {
        name: name.to_string(),
        device,
    })
}

fn open_auto() -> Result<RunDevice> {
    for gpu in ["cuda", "wgpu"] {
        let compiled_in = match gpu {
            "cuda" => cfg!(feature = "cuda"),
            _ => cfg!(feature = "wgpu"),
        };
        // A software adapter answers too, but any CPU backend beats it.
        if compiled_in
            && has_real_gpu(gpu)
            && let Ok(found) = open(gpu)
        {
            return Ok(found);
        }
    }
    open("flex").or_else(|_| open("ndarray"))
}

/// Computes `1 + 1`; Burn panics where a driver is missing, which becomes the error's text.
fn probe(device: &Device) -> std::result::Result<(), String> {
    let sum = quietly(|| {
        let one = Tensor::<1>::ones([1], device);
        (one.clone() + one).into_data().try_to_vec::<f32>()
    })?;
    match sum {
        Ok(values) if values == [2.0] => Ok(()),
        Ok(values) => Err(format!("1 + 1 gave {values:?}")),
        Err(error) => Err(format!("{error:?}")),
    }
}

/// Runs `work` without the default panic report, giving the panic's message as an error.
fn quietly<T>(work: impl FnOnce() -> T) -> std::result::Result<T, String> {
    // The hook belongs to the whole process: one probe at a time.
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    std::panic::set_hook(hook);
    result.map_err(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
        text.unwrap_or_else(|| "the driver gave no reason".to_string())
    })
}

fn no_answer(name: &str, reason: &str) -> Error {
    let first_line = reason.lines().next().unwrap_or(reason);
    let remedy = if name.starts_with("wgpu") {
        "install a Vulkan driver for the GPU (on Debian `mesa-vulkan-drivers`, which also brings a software adapter)"
    } else if name.starts_with("cuda") {
        "install NVIDIA's driver and CUDA toolkit, or use --device wgpu"
    } else {
        "use --device flex"
    };
    Error::Usage(format!(
        "--device {name}: no such device answers here ({first_line}). Without a GPU, leave --device away; else {remedy}."
    ))
}

#[allow(dead_code)] // used by whichever backends are left out of the build
fn not_compiled(name: &str) -> Error {
    Error::Usage(format!(
        "--device {name}: not in this build; build with it: cargo run -p CHAPTER --features {name} -- ..."
    ))
}

#[cfg(feature = "flex")]
fn flex() -> Result<Device> {
    Ok(Device::flex())
}
#[cfg(not(feature = "flex"))]
fn flex() -> Result<Device> {
    Err(not_compiled("flex"))
}

#[cfg(feature = "ndarray")]
fn ndarray() -> Result<Device> {
    #[allow(deprecated)]
    // deprecated upstream in favour of flex; readers may still ask for it by name
    Ok(Device::ndarray())
}
#[cfg(not(feature = "ndarray"))]
fn ndarray() -> Result<Device> {
    Err(not_compiled("ndarray"))
}

#[cfg(feature = "wgpu")]
fn wgpu(index: Option<usize>) -> Result<Device> {
    use burn::tensor::DeviceType;
    match index {
        None => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
        Some(index) => nth(DeviceType::Wgpu, "wgpu", index),
    }
}
#[cfg(not(feature = "wgpu"))]
fn wgpu(_index: Option<usize>) -> Result<Device> {
    Err(not_compiled("wgpu"))
}

#[cfg(feature = "cuda")]
fn cuda(index: Option<usize>) -> Result<Device> {
    nth(burn::tensor::DeviceType::Cuda, "cuda", index.unwrap_or(0))
}
#[cfg(not(feature = "cuda"))]
fn cuda(_index: Option<usize>) -> Result<Device> {
    Err(not_compiled("cuda"))
}

/// The `index`-th device of a kind, as the driver lists them.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn nth(kind: burn::tensor::DeviceType, name: &str, index: usize) -> Result<Device> {
    let devices = quietly(|| Device::enumerate(kind).into_vec())
        .map_err(|reason| no_answer(name, &reason))?;
    let count = devices.len();
    devices.into_iter().nth(index).ok_or_else(|| {
        Error::Usage(format!(
            "--device {name}:{index}: this machine shows {count} such devices, numbered from 0"
        ))
    })
}

/// Whether a hardware GPU of this kind answers (Mesa's llvmpipe and other software adapters do not count).
#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn has_real_gpu(kind: &str) -> bool {
    let Ok(device) = (match kind {
        "cuda" => cuda(None),
        _ => wgpu(None),
    }) else {
        return false;
    };
    quietly(|| device.identity())
        .ok()
        .flatten()
        .is_some_and(|identity| {
            let name = identity.name.to_lowercase();
            ![
                "llvmpipe",
                "swiftshader",
                "lavapipe",
                "software",
                "basic render",
            ]
            .iter()
            .any(|software| name.contains(software))
        })
}
#[cfg(not(any(feature = "wgpu", feature = "cuda")))]
fn has_real_gpu(_kind: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_device_lists_the_known_ones_nearest_first() {
        let message = open("felx").unwrap_err().to_string();
        assert!(message.contains("there are flex, "), "{message}");
    }

    #[test]
    fn auto_opens_something() {
        assert!(["flex", "wgpu", "cuda"].contains(&open("auto").unwrap().name.as_str()));
    }

    #[test]
    fn numbers_are_for_gpus() {
        assert!(
            open("flex:0")
                .unwrap_err()
                .to_string()
                .contains("no number")
        );
        assert!(open("cuda:x").unwrap_err().to_string().contains("cuda:0"));
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_backend_left_out_of_the_build_names_the_feature() {
        let message = open("cuda").unwrap_err().to_string();
        assert!(message.contains("--features cuda"), "{message}");
    }
}
