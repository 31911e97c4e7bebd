//! Both implementations of a learner take the same steps and resume.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::{
    config::{FlowConfig, TransformKind},
    device::{Precision, default_device},
    flow::Flow,
    testing::{normals, shaken},
    train::{
        burn_learner::BurnLearner,
        cpu_learner::CpuLearner,
        learner::{Learner, OTHER_MOMENTS, Outcome},
        settings::TrainSettings,
    },
};

fn flow(config: &FlowConfig) -> Flow {
    let (state, moments) = shaken(config);
    Flow::from_state_dict(config, moments, state, Precision::F32, &default_device()).unwrap()
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn steps(learner: &mut dyn Learner, from: usize, to: usize) -> Vec<f64> {
    let step = |i: usize| {
        let outcome = learner.step(normals(4, 64, i as u64).as_slice(), 1e-3, i, &mut rng());
        let Outcome { loss, moved } = outcome.unwrap();
        assert!(moved);
        loss
    };
    (from..to).map(step).collect()
}

fn configs() -> [FlowConfig; 2] {
    [TransformKind::Autoregressive, TransformKind::Coupling].map(|transform| {
        FlowConfig::builder(4).transform(transform).hidden(16).steps(2).build().unwrap()
    })
}

/// Adam divides by the size of a gradient. If a gradient is zero up to rounding, the weight changes by up
/// to the rate, in either direction. Biases before batch normalisation are such weights; without batch
/// normalisation there are few.
#[test]
fn burn_and_the_cpu_take_the_same_steps() {
    let settings = TrainSettings::builder().average(0.9).build().unwrap();
    let device = default_device();
    for config in configs() {
        for batch_norm in [false, true] {
            let config = config.to_builder().batch_norm(batch_norm).build().unwrap();
            let flow = flow(&config);
            let mut burn = BurnLearner::new(flow.chain(), &config, &settings, &device);
            let mut cpu = CpuLearner::new(flow.chain(), &config, &settings).unwrap();
            let (a, b) = (steps(&mut burn, 0, 5), steps(&mut cpu, 0, 5));
            for (a, b) in a.iter().zip(&b) {
                assert!((a - b).abs() < 1e-4 * (1.0 + a.abs()), "{a} against {b}");
            }
            for pair in [
                (burn.weights().unwrap(), cpu.weights().unwrap()),
                (burn.averaged().unwrap(), cpu.averaged().unwrap()),
            ] {
                let (a, b) = (pair.0.concat(), pair.1.concat());
                let differ = a.iter().zip(&b).filter(|(a, b)| (*a - *b).abs() > 1e-4).count();
                assert!(batch_norm || differ * 100 < a.len(), "{differ} of {} differ", a.len());
            }
        }
    }
}

#[test]
fn a_learner_resumes_from_what_it_saved() {
    let settings = TrainSettings::builder().average(0.9).build().unwrap();
    let device = default_device();
    // The process has one generator per device, so burn's dropout cannot be compared here.
    for (cpu, dropout) in [(true, 0.1), (false, 0.0)] {
        for config in configs() {
            let config = config.to_builder().dropout(dropout).build().unwrap();
            let flow = flow(&config);
            let make = || -> Box<dyn Learner + '_> {
                if cpu {
                    Box::new(CpuLearner::new(flow.chain(), &config, &settings).unwrap())
                } else {
                    Box::new(BurnLearner::new(flow.chain(), &config, &settings, &device))
                }
            };
            let mut first = make();
            steps(first.as_mut(), 0, 3);
            let (weights, saved) = (first.weights().unwrap(), first.save().unwrap());
            let losses = steps(first.as_mut(), 3, 6);
            let mut second = make();
            second.restore(weights, saved.clone()).unwrap();
            assert_eq!(steps(second.as_mut(), 3, 6), losses);
            assert_eq!(second.weights().unwrap(), first.weights().unwrap());
            assert_eq!(second.save().unwrap(), first.save().unwrap());

            let mut short = saved;
            short.moments[1][0].pop();
            let weights = first.weights().unwrap();
            assert_eq!(second.restore(weights, short), Err(OTHER_MOMENTS.to_owned()));
        }
    }
}
