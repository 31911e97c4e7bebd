//! From the entries of a file to regions on standardised features.

use std::{cmp::Ordering, ops::Range, path::Path};

use flow_core::bijection::Standardise;
use mvee::Mvee;
use nalgebra::{DMatrix, DVector};
use programs::ModelConfig;
use toml::Spanned;

use crate::{
    criterion::{
        expression::Expression,
        file::{Bounds, Comparison, CriterionUnits, Group, HalfSpace, Points},
        program::ProgramJudge,
        region::{Region, Scaled},
    },
    outcomes::text::{listed, shown},
};

/// What is needed to convert the regions of a file to standardised features.
pub(super) struct RegionReader<'a> {
    /// The text of the file, for line numbers in messages.
    pub(super) text: &'a str,
    /// The name of the file, for messages.
    pub(super) origin: &'a str,
    /// Feature names, `[d]`.
    pub(super) names: &'a [String],
    /// Mean and standard deviation of each feature.
    pub(super) moments: &'a Standardise,
    /// The units of the file.
    pub(super) units: CriterionUnits,
}

impl RegionReader<'_> {
    /// An error at the line of `span`.
    fn at(&self, span: Range<usize>, message: &str) -> anyhow::Error {
        let line = self.text[..span.start].matches('\n').count() + 1;
        anyhow::anyhow!("{}, line {line}: {message}", self.origin)
    }

    fn feature(&self, name: &str, span: Range<usize>) -> anyhow::Result<usize> {
        self.names.iter().position(|known| known == name).ok_or_else(|| {
            let (name, known) = (shown(name), listed(self.names, ", "));
            self.at(span, &format!("there is no feature `{name}`; the features are {known}"))
        })
    }

    /// The value of the key `name` of a half-space.
    fn finite(&self, name: &str, value: &Spanned<f64>) -> anyhow::Result<f64> {
        let number = *value.get_ref();
        if number.is_finite() {
            return Ok(number);
        }
        let message = format!("`{}` is {number}; it must be a finite number", shown(name));
        Err(self.at(value.span(), &message))
    }

    /// A value of feature `i`, standardised.
    fn standardised(&self, i: usize, value: f64) -> f64 {
        match self.units {
            CriterionUnits::Standardised => value,
            CriterionUnits::Physical => (value - self.moments.mean()[i]) / self.moments.sd()[i],
        }
    }

    /// All regions of a group.
    pub(super) fn regions(&self, group: &Group) -> anyhow::Result<Vec<Region>> {
        let mut regions = Vec::new();
        for region in &group.half_space {
            regions.push(self.half_space(region)?);
        }
        for region in &group.boxes {
            regions.push(self.bounds(region)?);
        }
        for region in &group.ellipsoid {
            regions.push(self.ellipsoid(region)?);
        }
        for region in &group.expression {
            regions.push(self.expression(region)?);
        }
        for group in &group.intersection {
            let parts = self.parts("intersection", group)?;
            self.refuse_k(group.get_ref())?;
            regions.push(Region::KOutOfN(parts.len(), parts));
        }
        for group in &group.outside {
            self.refuse_k(group.get_ref())?;
            regions.push(Region::Outside(self.parts("outside", group)?));
        }
        for group in &group.k_out_of_n {
            regions.push(self.k_out_of_n(group)?);
        }
        Ok(regions)
    }

    /// The program of a file; `others` says whether the file has units or regions too.
    pub(super) fn program(
        &self,
        program: &Spanned<ModelConfig>,
        others: bool,
    ) -> anyhow::Result<ProgramJudge> {
        let at = |message: &str| self.at(program.span(), message);
        if others {
            return Err(at(
                "a [program] decides alone and gets features in their units; remove all other \
                 regions and `units`",
            ));
        }
        let folder = Path::new(self.origin).parent().filter(|p| !p.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        ProgramJudge::new(program.get_ref(), &folder, self.names)
            .map_err(|error| at(&format!("{error:#}")))
    }

    /// The regions that a table called `name` combines.
    fn parts(&self, name: &str, group: &Spanned<Group>) -> anyhow::Result<Vec<Region>> {
        if let Some(units) = &group.get_ref().units {
            let message = "`units` belongs to the whole file; write it before all tables";
            return Err(self.at(units.span(), message));
        }
        if let Some(program) = &group.get_ref().program {
            let message = "a [program] decides alone; it cannot be combined with regions";
            return Err(self.at(program.span(), message));
        }
        let parts = self.regions(group.get_ref())?;
        if parts.is_empty() {
            let message = format!(
                "the [[{name}]] has no region; write a [[{name}.half_space]] or another after it"
            );
            return Err(self.at(group.span(), &message));
        }
        Ok(parts)
    }

    fn k_out_of_n(&self, group: &Spanned<Group>) -> anyhow::Result<Region> {
        let parts = self.parts("k_out_of_n", group)?;
        let Some(k) = &group.get_ref().k else {
            let message = "the [[k_out_of_n]] needs `k`, the number of regions for a failure";
            return Err(self.at(group.span(), message));
        };
        match usize::try_from(*k.get_ref()) {
            Ok(number) if (1..=parts.len()).contains(&number) => Ok(Region::KOutOfN(number, parts)),
            _ => {
                let (k_is, n) = (k.get_ref(), parts.len());
                let message =
                    format!("`k` is {k_is}; it must lie between 1 and the number of regions, {n}");
                Err(self.at(k.span(), &message))
            }
        }
    }

    /// Refuses a `k` outside of a `[[k_out_of_n]]`.
    pub(super) fn refuse_k(&self, group: &Group) -> anyhow::Result<()> {
        match &group.k {
            Some(k) => Err(self.at(k.span(), "`k` belongs to a [[k_out_of_n]]")),
            None => Ok(()),
        }
    }

    fn half_space(&self, region: &HalfSpace) -> anyhow::Result<Region> {
        let span = region.features.span();
        // c·x >= t is (c s)·x_std >= t - c·m in standardised features.
        let (sign, threshold) = match (&region.at_least, &region.at_most) {
            (Some(t), None) => (1.0, self.finite("at_least", t)?),
            (None, Some(t)) => (-1.0, self.finite("at_most", t)?),
            _ => {
                return Err(self.at(span, "a half-space needs either `at_least` or `at_most`"));
            }
        };
        let mut normal = DVector::zeros(self.names.len());
        let mut offset = sign * threshold;
        for (name, factor) in region.features.get_ref() {
            let i = self.feature(name, span.clone())?;
            let factor = self.finite(name, factor)?;
            let (mean, sd) = match self.units {
                CriterionUnits::Standardised => (0.0, 1.0),
                CriterionUnits::Physical => (self.moments.mean()[i], self.moments.sd()[i]),
            };
            normal[i] = sign * factor * sd;
            offset -= sign * factor * mean;
        }
        let norm = normal.norm();
        if !(norm > 0.0 && norm.is_finite() && offset.is_finite()) {
            return Err(self
                .at(span, "the half-space needs factors, not all of them zero and none extreme"));
        }
        Ok(Region::HalfSpace { normal: normal / norm, offset: offset / norm })
    }

    fn bounds(&self, region: &Bounds) -> anyhow::Result<Region> {
        let span = region.features.span();
        let mut bounds = Vec::new();
        for (name, numbers) in region.features.get_ref() {
            let i = self.feature(name, span.clone())?;
            let span = numbers.span();
            let [low, high] = numbers.get_ref()[..] else {
                let message = format!(
                    "`{name}` has {} numbers; write its lower and its upper bound",
                    numbers.get_ref().len()
                );
                return Err(self.at(span, &message));
            };
            // A comparison with NaN is false, so NaN is refused too.
            if low.partial_cmp(&high) != Some(Ordering::Less) {
                let message = format!(
                    "`{name}` has the bounds {low} and {high}; the lower bound comes first"
                );
                return Err(self.at(span, &message));
            }
            bounds.push((i, [self.standardised(i, low), self.standardised(i, high)]));
        }
        if bounds.iter().all(|(_, bounds)| bounds.iter().all(|v| v.is_infinite())) {
            return Err(self.at(span, "the box has no finite bound, so it contains all outcomes"));
        }
        Ok(Region::Box(bounds))
    }

    fn expression(&self, region: &Comparison) -> anyhow::Result<Region> {
        let text = &region.fails_if;
        let expression = Expression::parse(text.get_ref(), self.names)
            .map_err(|message| self.at(text.span(), &format!("`fails_if`, {message}")))?;
        let (mean, sd) = match self.units {
            CriterionUnits::Standardised => {
                (vec![0.0; self.names.len()], vec![1.0; self.names.len()])
            }
            CriterionUnits::Physical => (self.moments.mean().to_vec(), self.moments.sd().to_vec()),
        };
        Ok(Region::Expression(Box::new(Scaled::new(expression, mean, sd))))
    }

    fn ellipsoid(&self, region: &Points) -> anyhow::Result<Region> {
        let span = region.features.span();
        let features = region
            .features
            .get_ref()
            .iter()
            .map(|name| self.feature(name, span.clone()))
            .collect::<anyhow::Result<Vec<_>>>()?;
        if let Some(k) = (1..features.len()).find(|&k| features[..k].contains(&features[k])) {
            let name = &region.features.get_ref()[k];
            return Err(self.at(span, &format!("the ellipsoid names `{name}` twice")));
        }
        let (points, span) = (region.points.get_ref(), region.points.span());
        if let Some(odd) = points.iter().find(|point| point.len() != features.len()) {
            let message = format!(
                "a point has {} numbers, but there are {} features",
                odd.len(),
                features.len()
            );
            return Err(self.at(span, &message));
        }
        let points = DMatrix::from_fn(features.len(), points.len(), |i, j| {
            self.standardised(features[i], points[j][i])
        });
        let solution = Mvee::default().solve(points.as_view()).map_err(|error| {
            self.at(span, &format!("no ellipsoid encloses these points: {error}"))
        })?;
        Ok(Region::Ellipsoid(features, solution.ellipsoid))
    }
}
