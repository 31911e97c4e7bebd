//! The course of a sample over time, beside others.

use sim_core::Trajectory;

use crate::figures::chart::{Mark, Panel, Series, draw};

/// One panel per view: the course of a failure, with those of `nominal` samples in grey behind it.
///
/// # Errors
/// When the model has no view or a chart cannot be laid out.
pub fn trajectories(failure: &Trajectory, nominal: &[Trajectory]) -> anyhow::Result<String> {
    let label = |k: usize| {
        let column = &failure.columns[k];
        match column.unit() {
            "" | "1" => column.name().to_owned(),
            unit => format!("{}, {unit}", column.name()),
        }
    };
    let line = |name: &str, course: &Trajectory, [x, y]: [usize; 2]| {
        let points = course.values.column_iter().map(|record| (record[x], record[y]));
        Series::new(name, Mark::Line, points.collect())
    };
    let panels: Vec<Panel> = failure
        .views
        .iter()
        .map(|&view| {
            let mut series: Vec<Series> =
                nominal.iter().map(|course| line("random inputs", course, view).behind()).collect();
            series.push(line("this sample", failure, view));
            let [x_label, y_label] = view.map(label);
            Panel { title: format!("{y_label} over {x_label}"), x_label, y_label, series }
        })
        .collect();
    draw(&panels, 2)
}
