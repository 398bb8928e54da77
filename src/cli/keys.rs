//! `palisade keys`

use std::io::Read as _;
use std::path::Path;
use std::rc::Rc;

use clap::{Subcommand, ValueEnum};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::apply::JOURNAL;
use super::error::CommandError;
use super::exit::Exit;
use super::inputs::{Connection, Files};
use super::session::{Intent, Session};
use crate::apply::{Entry, Journal, Moment, Status};
use crate::azure::Writer;
use crate::azure::operations::{REGENERATE_PRIMARY_KEY, SET_SECRET};
use crate::config::Environment;
use crate::plan::{Address, Mode};
use crate::rotation::Slot;
use crate::settings::api_access::keys::{Keys, Look};
use crate::ui::{Progress, Ui};

/// Shows, publishes or revokes the API keys of one environment
///
/// The everyday rotation of keys is declared under `apiAccess.keys` and done by `plan` and `apply`; see
/// `palisade explain rotation`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows one key, masked
    Show {
        #[command(flatten)]
        which: Which,
        /// The key
        slot: SlotName,
        /// Prints the key itself, and nothing else, to standard output
        #[arg(long)]
        reveal: bool,
    },
    /// Publishes a key that you paste at a hidden prompt, or pass on standard input
    ///
    /// For tenants where no operation shows the keys: copy the key from Settings > Permissions > APIs. It is tried first,
    /// and stored only if the service accepts it. Where palisade can read the keys, `plan` and `apply` publish them.
    Publish {
        #[command(flatten)]
        which: Which,
        /// The slot that the key was copied from
        slot: SlotName,
    },
    /// Emergency: makes both keys stop working, and publishes a new one in between
    ///
    /// For a key that leaked. Consumers that don't read the secret again are cut off. Asks for the environment's name, and
    /// is refused in CI: a machine must not be able to do this.
    Revoke {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// The environment's key in the configuration
    #[arg(value_name = "ENV")]
    environment: String,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SlotName {
    /// The primary key
    Primary,
    /// The secondary key
    Secondary,
}

impl From<SlotName> for Slot {
    fn from(name: SlotName) -> Self {
        match name {
            SlotName::Primary => Slot::Primary,
            SlotName::Secondary => Slot::Secondary,
        }
    }
}

/// A connection to one environment's keys.
struct Scene {
    session: Session,
    look: Look,
    address: Address,
}

pub(super) async fn run(ui: &Rc<Ui>, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Show { which, slot, reveal } => show(ui, which, (*slot).into(), *reveal).await,
        Command::Publish { which, slot } => publish(ui, which, (*slot).into()).await,
        Command::Revoke { which } => revoke(ui, which).await,
    }
}

async fn open(ui: &Rc<Ui>, which: &Which, intent: Intent) -> Result<Scene, CommandError> {
    let configuration = which.files.configuration()?;
    let environment = configuration.environments.iter().find(|it| it.head.key == which.environment);
    let Some(environment) = environment else {
        let known: Vec<_> = configuration.environments.iter().map(|it| it.head.key.as_str()).collect();
        return Err(CommandError::new(format!("the configuration has no environment `{}`", which.environment))
            .hint(format!("it has {}", known.join(", "))));
    };
    let keys = declared(environment)?;
    let progress = Rc::new(Progress::new(ui.clone(), "connecting"));
    let session = Session::open(&configuration, &which.connection, intent, progress.clone()).await?;
    let instance = session.survey(&[environment]).reach(environment).await.map_err(CommandError::new)?;
    progress.end();
    let look = Look::at(keys, instance, configuration.tenant.id);
    let address = Address::setting(&environment.head.key, "apiAccess").part("keys");
    Ok(Scene { session, look, address })
}

fn declared(environment: &Environment) -> Result<&Keys, CommandError> {
    environment.blocks.api_access.as_ref().and_then(|access| access.keys.as_ref()).ok_or_else(|| {
        CommandError::new(format!("`{}` declares no `apiAccess.keys`", environment.head.key))
            .hint("declare at least `publishTo`; `palisade explain apiAccess.keys` tells more")
    })
}

async fn show(ui: &Rc<Ui>, which: &Which, slot: Slot, reveal: bool) -> Result<Exit, CommandError> {
    let Scene { session, look, address } = open(ui, which, Intent::Read).await?;
    if session.surface.mode(look.read.provenance) == Mode::Manual {
        return Err(CommandError::new("Microsoft publishes no operation that shows the keys")
            .hint("look under Settings > Permissions > APIs"));
    }
    let (key, fingerprint) = look.show(&session.reader(), slot).await.map_err(CommandError::new)?;
    match reveal {
        true => ui.result(&format!("{}\n", key.expose_secret())),
        false => ui.result(&format!("{address}/{slot}: ******** (fingerprint {fingerprint})\n")),
    }
    Ok(Exit::Done)
}

async fn publish(ui: &Rc<Ui>, which: &Which, slot: Slot) -> Result<Exit, CommandError> {
    let scene = open(ui, which, Intent::Write).await?;
    let key = pasted(ui)?;
    let fingerprint =
        journalled(&scene, &format!("publish a pasted key ({slot})"), SET_SECRET.facts().name, async |writer| {
            scene.look.publish_pasted(writer, slot, &key).await
        })
        .await?;
    ui.result(&format!("{}/{slot}: published (fingerprint {fingerprint})\n", scene.address));
    Ok(Exit::Done)
}

/// From a hidden prompt, or from standard input if that isn't a terminal.
fn pasted(ui: &Ui) -> Result<SecretString, CommandError> {
    let text = match ui.ask_secret("The key, which is not shown:") {
        Some(text) => text,
        None => {
            let mut text = String::new();
            let read = std::io::stdin().take(4096).read_to_string(&mut text);
            read.map(|_| text).map_err(|error| CommandError::new(format!("standard input can't be read: {error}")))?
        }
    };
    Ok(SecretString::from(text))
}

async fn revoke(ui: &Rc<Ui>, which: &Which) -> Result<Exit, CommandError> {
    if std::env::var_os("CI").is_some() {
        return Err(CommandError::refused("`keys revoke` is refused in CI: only a person may revoke both keys"));
    }
    let scene = open(ui, which, Intent::Write).await?;
    let question = format!(
        "Both API keys of {} stop working, and a new one is published as {}. Type the environment's name to go on:",
        which.environment, scene.look.keys.publish_to
    );
    match ui.ask(&question) {
        Some(answer) if answer == which.environment => {}
        Some(_) => return Err(CommandError::refused("that isn't the environment's name; nothing was done")),
        None => return Err(CommandError::refused("nobody is here to confirm; nothing was done")),
    }
    journalled(&scene, "revoke both keys", REGENERATE_PRIMARY_KEY.facts().name, async |writer| {
        scene.look.revoke(writer, &|what| ui.status(what)).await
    })
    .await?;
    ui.result(&format!("{}: both keys were regenerated, and the published one works\n", scene.address));
    Ok(Exit::Done)
}

/// Does something with a line in the journal before and after it.
async fn journalled<T>(
    scene: &Scene,
    step: &str,
    operation: &'static str,
    act: impl AsyncFnOnce(&Writer) -> Result<T, String>,
) -> Result<T, CommandError> {
    let Scene { session, address, .. } = scene;
    let journal = Journal::open(Path::new(JOURNAL)).map_err(|error| CommandError::new(error.to_string()))?;
    let run = Uuid::new_v4().to_string();
    let line = |moment, status, reason: Option<&str>| {
        let entry = Entry {
            at: session.clock.now(),
            run: &run,
            target: &session.target,
            address,
            step,
            operation,
            moment,
            status,
            reason,
        };
        journal.write(&entry).map_err(|error| CommandError::new(error.to_string()))
    };
    line(Moment::Started, None, None)?;
    let outcome = act(&session.writer(step)).await;
    match &outcome {
        Ok(_) => line(Moment::Ended, Some(Status::Done), None)?,
        Err(reason) => line(Moment::Ended, Some(Status::Failed), Some(reason))?,
    }
    outcome.map_err(CommandError::new)
}
