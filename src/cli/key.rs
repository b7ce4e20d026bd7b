//! `key`: what opens something: the governor to those who call, and a customer's own page to the customer.

use std::io::BufRead;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::api_key::ApiKey;
use crate::clock::Clock;
use crate::domain::moment::Span;
use crate::sealed::fresh_secret;
use crate::settings::keys::read_line;
use crate::settings::{Flags, Settings};
use crate::wire::fields::{LONGEST_ID, name_error};
use crate::wire::wishes_link::{USUAL_LIFE, WishesLinks};

use super::{Exit, console};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// A key for somebody who calls: printed this once, and the line of the settings that lets it in.
    New(NewArguments),
    /// The link to the page where one customer sets their own wishes.
    WishesLink(WishesLinkArguments),
}

#[derive(Debug, Args)]
pub struct NewArguments {
    /// What the key is called in settings, metrics and logs.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// What it is for: ask, tell, read, admin; none implies another.
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', required = true)]
    scopes: Vec<String>,
    /// The channels it speaks for; all if nothing is said.
    #[arg(long, value_name = "CHANNELS", value_delimiter = ',')]
    channels: Vec<String>,
    /// When it opens nothing any more: a date, or a moment.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// Whose key it is, where they have another one; else they are called as the key.
    #[arg(long, value_name = "NAME")]
    caller: Option<String>,
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
    settings: Vec<PathBuf>,
}

#[must_use]
pub fn run(command: &Command) -> Exit {
    let done = match command {
        Command::New(arguments) => new(arguments, &Clock::System),
        Command::WishesLink(arguments) => wishes_link(arguments, &Clock::System),
    };
    done.unwrap_or_else(|why| {
        console::complain(why);
        Exit::Misused
    })
}

/// The key and the line are all there is on standard output, so that either can be piped on.
fn new(arguments: &NewArguments, clock: &Clock) -> Result<Exit, String> {
    let key = ApiKey::fresh().ok_or("key new: the system has no randomness to give")?;
    let mut line = json!({"scopes": arguments.scopes, "hash": key.hash().to_string()});
    if let Some(members) = line.as_object_mut() {
        let channels = (!arguments.channels.is_empty()).then(|| json!(arguments.channels));
        members.extend(channels.map(|channels| ("channels".to_owned(), channels)));
        members.extend(arguments.expires.as_ref().map(|expires| ("expires".to_owned(), json!(expires))));
        members.extend(arguments.caller.as_ref().map(|caller| ("caller".to_owned(), json!(caller))));
    }
    let settings = read_line(&arguments.name, &line, None)
        .map_err(|mistakes| format!("key new: {}", mistakes.join("\nkey new: ")))?;
    if settings.expires.is_some_and(|expires| expires <= clock.now()) {
        return Err("key new: --expires: that is past already".to_owned());
    }
    console::say(key.expose());
    console::say(settings.line());
    console::complain(
        "The first line is the key. It is shown this once: give it to whoever is to call, who sends it as \
         `Authorization: Bearer cg_…`.\nThe second is for the section [keys] of the settings; it holds only the \
         key's hash. See docs/keys.md.",
    );
    Ok(Exit::Done)
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
