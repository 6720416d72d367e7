//! The number of a model's parameters.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// The number of parameters, frozen ones among them.
///
/// Burn's `num_params` counts the running statistics of batch norm too, which no gradient changes.
pub fn count_parameters<M: Module>(model: &M) -> usize {
    let mut count = Count::default();
    model.visit(&mut count);
    count.parameters
}

#[derive(Default)]
struct Count {
    path: Vec<String>,
    parameters: usize,
}

impl ModuleVisitor for Count {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let statistics = ["running_mean", "running_var"];
        if !self
            .path
            .last()
            .is_some_and(|name| statistics.contains(&name.as_str()))
        {
            self.parameters += parameter.lazy_shape().num_elements();
        }
    }
}
