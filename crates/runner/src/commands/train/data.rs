//! The outcomes of a training: all features, or the free ones with the others regressed on them.

use flow_core::FlowFile;

use crate::{
    outcomes::{
        table::OutcomeTable,
        text::{listed, shown},
    },
    output::terminal::print_line,
};

/// The outcomes of a training.
pub(super) struct TrainingData {
    /// The features of the flow.
    pub(super) table: OutcomeTable,
    /// All features and the places of the free ones among them, if the flow is one of these alone.
    whole: Option<(OutcomeTable, Vec<usize>)>,
}

impl TrainingData {
    /// The outcomes of `table` for a flow of the features `free`, or of all if there are none.
    ///
    /// # Errors
    /// Names a feature that does not exist or is there twice; refuses all features.
    pub(super) fn new(table: OutcomeTable, free: &[String]) -> anyhow::Result<Self> {
        if free.is_empty() {
            return Ok(Self { table, whole: None });
        }
        let mut places = Vec::with_capacity(free.len());
        for name in free {
            let place = table.names.iter().position(|known| known == name).ok_or_else(|| {
                let known = listed(&table.names, ", ");
                anyhow::anyhow!(
                    "--free: there is no feature `{}`; the features are {known}",
                    shown(name)
                )
            })?;
            anyhow::ensure!(!places.contains(&place), "--free: `{}` is there twice", shown(name));
            places.push(place);
        }
        anyhow::ensure!(
            places.len() < table.names.len(),
            "--free names all features; leave the option out for a flow of all of them"
        );
        let reduced = OutcomeTable {
            names: free.to_vec(),
            named: true,
            x: table.x.select_rows(&places),
            left_out: 0,
        };
        Ok(Self { table: reduced, whole: Some((table, places)) })
    }

    /// Whether the flow is one of the free features alone.
    pub(super) fn is_reduced(&self) -> bool {
        self.whole.is_some()
    }

    /// Names of all features of the outcomes.
    pub(super) fn names(&self) -> &[String] {
        self.whole.as_ref().map_or(&self.table.names, |(table, _)| &table.names)
    }

    /// Adds outcomes to the file of the flow: those that the regression needs, or those to compare with if `keep`.
    /// Prints how far features are from the regression.
    ///
    /// # Errors
    /// When there are too few outcomes for a regression.
    pub(super) fn complete(&self, file: FlowFile, keep: bool) -> anyhow::Result<FlowFile> {
        let Some((table, free)) = &self.whole else {
            let x = self.table.x.as_view();
            return Ok(if keep { file.with_rows(x) } else { file });
        };
        let file = file.with_completion(table.x.as_view(), free)?;
        let residuals = file.completion.as_ref().map(flow_core::Completion::residuals);
        for (i, (name, residual)) in
            table.names.iter().zip(residuals.unwrap_or_default()).enumerate()
        {
            if !free.contains(&i) {
                print_line!(
                    "{}: follows from the free features within {residual:.1e} standard deviations",
                    shown(name)
                );
            }
        }
        Ok(file)
    }
}
