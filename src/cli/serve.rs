//! `serve`: answers over HTTP until it is asked to stop.

use std::path::PathBuf;

use clap::Args;

use crate::app::{App, AppError};
use crate::settings::{Flags, Settings};
use crate::telemetry;

use super::{Exit, console};

#[derive(Debug, Default, Args)]
pub struct Arguments {
    /// A settings file.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Where to listen, as 127.0.0.1:8080.
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Where records are kept, as embedded:./data.
    #[arg(long, value_name = "URL")]
    ledger: Option<String>,
    /// The policy file.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

#[must_use]
pub fn run(arguments: &Arguments) -> Exit {
    let flags = Flags {
        settings: arguments.settings.clone(),
        listen: arguments.listen.clone(),
        ledger: arguments.ledger.clone(),
        policy: arguments.policy.clone(),
    };
    let settings = match Settings::load(&flags, None) {
        Ok(settings) => settings,
        Err(mistakes) => {
            console::complain(mistakes);
            return Exit::Misused;
        }
    };
    telemetry::start(&settings);
    let served = actix_web::rt::System::new().block_on(async {
        let app = App::start(&settings)?;
        app.run_until_stopped().await
    });
    match served {
        Ok(()) => Exit::Done,
        Err(error) => {
            console::complain(format!("contact-governor: {error}"));
            if matches!(error, AppError::Policy(_)) { Exit::Misused } else { Exit::Refused }
        }
    }
}
