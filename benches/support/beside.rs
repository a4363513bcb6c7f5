//! Two ways to the same thing, measured in turns.

use super::module::Outcome;
use super::stopwatch::{measure, median};
use super::workloads::Operation;
use std::time::Duration;

/// How long each is measured at a time, and how often.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) budget: Duration,
    pub(crate) rounds: usize,
}

/// An operation of the module's as a caller makes it, and the primitive under it.
pub(crate) struct Line<'m> {
    pub(crate) name: String,
    pub(crate) ours: Operation<'m>,
    pub(crate) bare: Operation<'m>,
}

impl<'m> Line<'m> {
    pub(crate) fn new(
        name: impl Into<String>,
        ours: Operation<'m>,
        bare: impl FnMut() -> Outcome<()> + 'm,
    ) -> Self {
        Self { name: name.into(), ours, bare: Box::new(bare) }
    }
}

/// Microseconds of one call.
pub(crate) fn micros(budget: Duration, operation: &mut dyn FnMut() -> Outcome<()>) -> Outcome<f64> {
    Ok(1e6 / measure(budget, operation)?.per_second())
}

/// What stands above the lines.
pub(crate) fn head() {
    println!("| | through C | bare primitive | difference | ratio |");
    println!("|---|---:|---:|---:|---:|");
}

/// Prints microseconds of each, and medians of the differences, in nanoseconds, and of the ratios.
/// A short operation's ratio tells more about the calls around it than about the operation.
pub(crate) fn print(line: Line<'_>, plan: Plan) -> Outcome<()> {
    let Line { name, mut ours, mut bare } = line;
    let mut measured = Vec::with_capacity(plan.rounds);
    for round in 0..plan.rounds {
        let (one, other) = if round % 2 == 0 {
            let one = micros(plan.budget, &mut ours)?;
            (one, micros(plan.budget, &mut bare)?)
        } else {
            let other = micros(plan.budget, &mut bare)?;
            (micros(plan.budget, &mut ours)?, other)
        };
        measured.push((one, other));
    }
    let of =
        |field: fn(&(f64, f64)) -> f64| median(&measured.iter().map(field).collect::<Vec<_>>());
    println!(
        "| {name} | {:.2} µs | {:.2} µs | {:.0} ns | {:.2} |",
        of(|it| it.0),
        of(|it| it.1),
        of(|it| 1e3 * (it.0 - it.1)),
        of(|it| it.0 / it.1)
    );
    Ok(())
}
