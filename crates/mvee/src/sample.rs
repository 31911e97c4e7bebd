//! Uniform samples inside and on an ellipsoid.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::ellipsoid::Ellipsoid;
use crate::linalg::{axpy, dot, normalize, scale};

impl Ellipsoid {
    /// `n` points uniform inside, `[d, n]`: $c + r L v$ with $v$ uniform on the unit sphere and
    /// $r = U^{1/d}$.
    pub fn sample<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> DMatrix<f64> {
        let power = 1.0 / self.dim() as f64;
        self.sample_with(n, rng, |v, rng| {
            direction(v, rng);
            let r = rng.random::<f64>().powf(power);
            scale(r, v);
        })
    }

    /// `n` points on the surface, uniform in its area, `[d, n]`: $c + L v$ with $v$ uniform on the
    /// unit sphere and kept with probability $b \lVert L^{-\top} v \rVert$, $b$ the shortest semi-axis,
    /// because the map stretches area by $\lvert L \rvert \lVert L^{-\top} v \rVert$. At least about
    /// one in $1.3 \sqrt d$ is kept.
    pub fn sample_surface<R: Rng + ?Sized>(&self, n: usize, rng: &mut R) -> DMatrix<f64> {
        let d = self.dim();
        let shortest = self.axes().0[d - 1];
        let mut normal = vec![0.0; d];
        self.sample_with(n, rng, |v, rng| {
            loop {
                direction(v, rng);
                normal.fill(0.0);
                for (t, v) in self.inverse().chunks_exact(d).zip(&*v) {
                    axpy(*v, t, &mut normal);
                }
                let stretch = dot(&normal, &normal).sqrt() * shortest;
                if rng.random::<f64>() < stretch {
                    return;
                }
            }
        })
    }

    /// $c + L v$ for `n` draws of `v` from the unit ball.
    fn sample_with<R: Rng + ?Sized>(
        &self,
        n: usize,
        rng: &mut R,
        mut draw: impl FnMut(&mut [f64], &mut R),
    ) -> DMatrix<f64> {
        let d = self.dim();
        let mut x = DMatrix::zeros(d, n);
        let mut v = vec![0.0; d];
        for mut column in x.column_iter_mut() {
            draw(&mut v, rng);
            for (i, l) in self.lower().chunks_exact(d).enumerate() {
                column[i] = self.center()[i] + dot(&l[..=i], &v[..=i]);
            }
        }
        x
    }
}

/// Fills `v` with a uniform direction: a normal vector divided by its length.
fn direction<R: Rng + ?Sized>(v: &mut [f64], rng: &mut R) {
    loop {
        v.fill_with(|| rng.sample(StandardNormal));
        if normalize(v) > 0.0 {
            return;
        }
    }
}
