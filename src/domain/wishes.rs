//! What the customer asked for: how often, on which channels, at which hours, or not for a while.

use super::moment::Moment;
use super::opening_hours::OpeningHours;
use super::window::Window;
use super::words::Name;

/// "At most so many in that time", on some channels or on all.
#[derive(Clone, Debug, PartialEq)]
pub struct WishedLimit {
    pub limit: u32,
    pub window: Window,
    /// Empty: every channel.
    pub channels: Vec<Name>,
}

/// A customer's wishes. They can only tighten what the policy allows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wishes {
    pub at_most: Vec<WishedLimit>,
    /// The channels that are welcome; `None`: every one.
    pub channels: Option<Vec<Name>>,
    pub hours: Option<OpeningHours>,
    pub pause_until: Option<Moment>,
}
