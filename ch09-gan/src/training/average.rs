//! The running mean of a generator's weights.
//!
//! The weights of a generator go round in circles, since those of D change with them; their mean over the last iterations lies nearer to
//! where the game would rest. Karras et al. 2018 ("Progressive growing of GANs", appendix A) draw with such a generator, Yazıcı et al. 2019
//! ("The unusual effectiveness of averaging in GAN training") measure what it gains.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// How much of the mean is kept in the step after `steps` of them: `decay`, or `(1 + steps) / (10 + steps)` if that is less. So the mean is
/// over the last `1 / (1 - decay)` steps, about, or the last ninth of all while there are fewer.
pub(super) fn kept(decay: f64, steps: usize) -> f64 {
    decay.min((1.0 + steps as f64) / (10.0 + steps as f64))
}

/// The mean with the weights of one more step in it: `kept mean + (1 - kept) weights`.
///
/// Both networks are of one kind.
pub(super) fn averaged<M: Module>(mean: M, network: &M, kept: f64) -> M {
    let mut weights = Weights(Vec::new());
    network.visit(&mut weights);
    let mut blend = Blend {
        weights: weights.0.into_iter(),
        kept,
    };
    mean.map(&mut blend)
}

/// All weights of a network, flat, in the order in which Burn comes to them.
struct Weights(Vec<Tensor<1>>);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.push(param.val().flatten(0, D - 1));
    }
}

struct Blend {
    weights: std::vec::IntoIter<Tensor<1>>,
    kept: f64,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(weights) = self.weights.next() else {
            return param;
        };
        param.map(|mean| {
            let weights = weights.reshape(mean.dims());
            mean * self.kept + weights * (1.0 - self.kept)
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::tensor::Device;

    use super::{averaged, kept};
    use crate::judge::read;
    use crate::simple::SimpleGenerator;

    #[test]
    fn the_first_steps_keep_little() {
        assert_eq!(kept(0.999, 0), 0.1);
        assert_eq!(kept(0.999, 8), 0.5);
        assert_eq!(kept(0.999, 100_000), 0.999);
        assert_eq!(kept(0.0, 7), 0.0);
    }

    #[test]
    fn every_weight_is_blended() {
        let device = Device::flex();
        let network = || SimpleGenerator::new(4, 8, 2, false, &device);
        let flat = |network: &SimpleGenerator| {
            let mut weights = super::Weights(Vec::new());
            network.visit(&mut weights);
            let each = weights.0.into_iter().map(|weights| read(weights).unwrap());
            each.collect::<Vec<_>>().concat()
        };
        let (mean, other) = (network(), network());
        let (m, w) = (flat(&mean), flat(&other));
        assert_eq!(m.len(), mean.num_params());
        assert_ne!(m, w);
        let blend = flat(&averaged(mean.clone(), &other, 0.75));
        for ((m, w), blend) in m.iter().zip(&w).zip(&blend) {
            assert!((0.75 * m + 0.25 * w - blend).abs() < 1e-6);
        }
        assert_eq!(flat(&mean), m, "the old mean is as it was");
        assert_eq!(flat(&averaged(mean, &other, 0.0)), w);
    }
}
