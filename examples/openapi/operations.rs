//! Every operation, one file for each part of the interface. A test holds the list against the program's routes.

mod asking;
mod customers;
mod follow_ups;
mod operating;
mod telling;
mod wishes_page;

use super::operation::Described;

pub fn all() -> Vec<Described> {
    [asking::all(), telling::all(), customers::all(), follow_ups::all(), operating::all(), wishes_page::all()]
        .into_iter()
        .flatten()
        .collect()
}
