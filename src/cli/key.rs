//! `key`: what opens something.

use std::io::BufRead;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::clock::Clock;
use crate::domain::moment::Span;
use crate::sealed::fresh_secret;
use crate::settings::{Flags, Settings};
use crate::wire::fields::{LONGEST_ID, name_error};
use crate::wire::wishes_link::{USUAL_LIFE, WishesLinks};

use super::{Exit, console};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The link to the page where one customer sets their own wishes.
    WishesLink(WishesLinkArguments),
}

#[derive(Debug, Args)]
pub struct WishesLinkArguments {
    /// Whose page; `-` reads customers from standard input, a line each, and prints a link for each.
    #[arg(long, value_name = "ID")]
    customer: String,
    /// How customers reach the governor; without it, the address it listens on.
    #[arg(long, value_name = "URL")]
    base: Option<String>,
    /// How long the link opens: 30d if nothing is said.
    #[arg(long = "for", value_name = "TIME")]
    life: Option<String>,
    /// The settings file of the governor that is to open it.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

#[must_use]
pub fn run(command: &Command) -> Exit {
    match command {
        Command::WishesLink(arguments) => wishes_link(arguments, &Clock::System).unwrap_or_else(|why| {
            console::complain(why);
            Exit::Misused
        }),
    }
}

fn wishes_link(arguments: &WishesLinkArguments, clock: &Clock) -> Result<Exit, String> {
    let flags = Flags { settings: arguments.settings.clone(), ..Flags::default() };
    let settings = Settings::load(&flags, None).map_err(|mistakes| mistakes.to_string())?;
    let links = WishesLinks::new(&settings.wishes_page).ok_or_else(how_to_set_a_secret)?;
    let life = match &arguments.life {
        None => USUAL_LIFE,
        Some(text) => {
            Span::parse(text).ok_or_else(|| format!("--for: `{text}` is not a duration; write `30d`"))?
        }
    };
    let base = match &arguments.base {
        None => settings.url(),
        Some(base) if base.starts_with("https://") || base.starts_with("http://") => base.clone(),
        Some(base) => {
            return Err(format!("--base: `{base}` is no address; write `https://contact.example.com`"));
        }
    };
    let end = clock.now() + life;
    let say = |customer: &str| checked(customer).map(|()| console::say(links.link(&base, customer, end)));
    if arguments.customer != "-" {
        return say(&arguments.customer).map(|()| Exit::Done);
    }
    for line in std::io::stdin().lock().lines() {
        say(&line.map_err(|error| format!("key wishes-link: {error}"))?)?;
    }
    Ok(Exit::Done)
}

fn checked(customer: &str) -> Result<(), String> {
    if customer.is_empty() {
        return Err("--customer: may not be empty".to_owned());
    }
    name_error(customer, LONGEST_ID).map_or(Ok(()), |detail| Err(format!("--customer: {detail}")))
}

fn how_to_set_a_secret() -> String {
    let fresh = fresh_secret().unwrap_or_else(|| "(at least 32 random characters)".to_owned());
    format!(
        "There is no wishes page as long as its links have no secret. Give the governor and this command the \
         same one, in the settings file:\n\n    [wishes_page]\n    secret = \"{fresh}\"\n\nor in the \
         environment:\n\n    CONTACT_GOVERNOR__WISHES_PAGE__SECRET={fresh}\n\nThis one is fresh; keep it \
         as you would a password, and see docs/wishes-page.md for changing it."
    )
}
