//! Two ways to the same thing, measured in turns.

use super::module::Outcome;
use super::shelf::Shelf;
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
    /// What the module's operation leaves behind, removed between the rounds.
    shelf: Option<Shelf<'m>>,
}

impl<'m> Line<'m> {
    pub(crate) fn new(
        name: impl Into<String>,
        ours: Operation<'m>,
        bare: impl FnMut() -> Outcome<()> + 'm,
    ) -> Self {
        Self { name: name.into(), ours, bare: Box::new(bare), shelf: None }
    }

    /// The same, of an operation that leaves keys on a shelf.
    pub(crate) fn filling(self, shelf: &Shelf<'m>) -> Self {
        Self { shelf: Some(shelf.clone()), ..self }
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
    let Line { name, mut ours, mut bare, shelf } = line;
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
        shelf.as_ref().map_or(Ok(()), Shelf::clear)?;
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
