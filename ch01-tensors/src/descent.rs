//! Gradient descent: x <- x - eta * f'(x), again and again (section 1.3), and the same with a parameter and an optimizer
//! object (section 1.4).

use burn::module::{Module, Param};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor};
use common::{Error, Result};

use crate::read::scalar;

/// The x of each step of a walk down, the start included.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// x before the first step, after the first step, after the second, ...
    pub xs: Vec<f32>,
    /// Whether the last step was as small as asked for.
    pub arrived: bool,
}

impl Path {
    /// Number of steps.
    pub fn steps(&self) -> usize {
        self.xs.len() - 1
    }

    /// Where the walk ended.
    pub fn end(&self) -> f32 {
        self.xs[self.steps()]
    }
}

/// How to walk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Walk {
    /// The step size eta.
    pub eta: f64,
    /// Stop when x has moved by no more than this.
    pub tolerance: f32,
    /// Stop after so many steps in any case: with too large an eta the walk never gets there.
    pub max_steps: usize,
}

impl Default for Walk {
    /// The book's eta = 0.1 and 1e-5; at most 10,000 steps.
    fn default() -> Self {
        Self {
            eta: 0.1,
            tolerance: 1e-5,
            max_steps: 10_000,
        }
    }
}

/// Minimises `f` from `start` by hand: f's value, its gradient by automatic differentiation, a step against the gradient.
/// Stops when |x_t - x_(t-1)| is at most the tolerance.
///
/// # Errors
/// [`Error::Training`] when `f` does not depend on x, or x is no longer a number.
pub fn gradient_descent(
    f: impl Fn(Tensor<1>) -> Tensor<1>,
    start: f32,
    walk: Walk,
    device: &Device,
) -> Result<Path> {
    let device = device.clone().autodiff();
    let mut x = Tensor::<1>::from_data([start], &device); // [1]
    let mut path = Path {
        xs: vec![start],
        arrived: false,
    };
    while path.steps() < walk.max_steps && !path.arrived {
        x = x.require_grad();
        let value = f(x.clone()); // [1]
        if !value.is_tracked() {
            return Err(no_gradient());
        }
        let gradients = value.backward();
        let gradient = x.grad(&gradients).ok_or_else(no_gradient)?; // [1]

        // The step itself is no part of the function: `inner` leaves automatic differentiation.
        let moved = x.inner() - gradient * walk.eta; // [1]
        path.push(scalar(moved.clone())?, walk.tolerance)?;
        x = Tensor::from_inner(moved);
    }
    Ok(path)
}

/// One trainable number.
#[derive(Module, Debug)]
pub struct Point {
    /// \[1\]
    pub x: Param<Tensor<1>>,
}

impl Point {
    /// A point at `start`.
    pub fn new(start: f32, device: &Device) -> Self {
        Self {
            x: Param::from_data([start], device),
        }
    }
}

/// Minimises `f` from `start` with a parameter and plain SGD, for `steps` steps. This is the loop that trains networks.
///
/// # Errors
/// As [`gradient_descent`].
pub fn minimize(
    f: impl Fn(Tensor<1>) -> Tensor<1>,
    start: f32,
    eta: f64,
    steps: usize,
    device: &Device,
) -> Result<Path> {
    let mut point = Point::new(start, &device.clone().autodiff());
    let mut optimizer = SgdConfig::new().init();
    let mut path = Path {
        xs: vec![start],
        arrived: false,
    };
    for _ in 0..steps {
        let value = f(point.x.val()); // [1]
        if !value.is_tracked() {
            return Err(no_gradient());
        }
        let gradients = GradientsParams::from_grads(value.backward(), &point);
        point = optimizer.step(eta, point, gradients);
        path.push(scalar(point.x.val().inner())?, 0.0)?;
    }
    path.arrived = true;
    Ok(path)
}

impl Path {
    fn push(&mut self, x: f32, tolerance: f32) -> Result<()> {
        if !x.is_finite() {
            return Err(Error::Training(format!(
                "x is {x} after step {}: the step size is too large",
                self.xs.len()
            )));
        }
        self.arrived = (x - self.end()).abs() <= tolerance;
        self.xs.push(x);
        Ok(())
    }
}

fn no_gradient() -> Error {
    Error::Training("the function has no gradient: it does not depend on x".into())
}
