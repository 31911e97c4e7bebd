//! What `train` says about features that depend on others.

use crate::{
    outcomes::{
        dependence::{Dependence, linear_dependence},
        local_dimension::LocalDimension,
        table::OutcomeTable,
        text::{listed, shown},
    },
    output::terminal::print_note,
};

/// Says which features depend on others so much that the outcomes have hardly a density, and what can be done.
pub(super) fn report_dependence(table: &OutcomeTable) {
    let named =
        |list: &[usize]| -> Vec<String> { list.iter().map(|&i| table.names[i].clone()).collect() };
    let Some(Dependence { feature, of, unexplained }) = linear_dependence(&table.x) else {
        return report_surface(table);
    };
    let others: Vec<usize> = (0..table.names.len()).filter(|&k| k != feature).collect();
    let (name, of, others) =
        (shown(&table.names[feature]), listed(&named(&of), ", "), listed(&named(&others), ","));
    if unexplained > 0.0 {
        let percent = 100.0 * unexplained;
        print_note!(
            "warning: `{name}` is nearly a linear function of {of}, which leave {percent:.1e} % of its variance; \
             leave it out with --columns {others} unless the rest matters"
        );
    } else {
        print_note!(
            "warning: `{name}` is a linear function of {of}, so the outcomes have no density; leave it out with \
             --columns {others} or add noise with --jitter 0.02"
        );
    }
}

/// Says whether the outcomes lie near a curved surface.
fn report_surface(table: &OutcomeTable) {
    let Some(found) = LocalDimension::of(&table.x).filter(LocalDimension::is_near_surface) else {
        return;
    };
    print_note!(
        "warning: near neighbours lie as in {:.1} dimensions, those of shuffled columns as in {:.1}: the outcomes are near \
         a surface of fewer dimensions than features and have hardly a density; leave out features that follow from \
         others with --columns, or add noise with --jitter 0.02, less if the criterion is thin",
        found.outcomes,
        found.shuffled
    );
}
