//! `palisade keys`

mod text;

use std::io::Read as _;
use std::path::Path;
use std::rc::Rc;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use secrecy::{ExposeSecret as _, SecretString};

use super::apply::JOURNAL;
use super::error::CommandError;
use super::exit::Exit;
use super::inputs::{self, Connection, Files};
use super::session::{Intent, Session};
use crate::apply::{Entry, Journal, Moment, Status};
use crate::azure::customer_insights::Instance;
use crate::plan::{Address, Mode, Note};
use crate::settings::api_access::keys::{Ended, Keys, Look, Pasted, Witness};
use crate::settings::block::Block as _;
use crate::settings::declaration::Declaration;
use crate::settings::reach::Arrival;
use crate::settings::{api_access, codes};
use crate::terms::{Slot, text::printable};
use crate::ui::{Progress, Ui};

/// What services that run builds set: by any of them a machine is recognised.
const MACHINES: [&str; 11] = [
    "CI",
    "TF_BUILD",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "JENKINS_URL",
    "BUILDKITE",
    "CIRCLECI",
    "TRAVIS",
    "TEAMCITY_VERSION",
    "BITBUCKET_BUILD_NUMBER",
    "CODEBUILD_BUILD_ID",
];

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
    /// Show both keys, masked: which one is in use, how old they are, what is due next
    Show {
        #[command(flatten)]
        which: Which,
        /// Only this key
        slot: Option<SlotName>,
        /// Print the key itself, and nothing else, to standard output
        #[arg(long, requires = "slot")]
        reveal: bool,
    },
    /// Publishes a key that you paste at a hidden prompt, or pass on standard input
    ///
    /// For tenants where no operation shows the keys: copy the key from Settings > Permissions > APIs. It is tried first,
    /// and stored only if the service accepts it. Where palisade can read the keys, the key must be the one in that slot;
    /// there `plan` and `apply` publish by themselves. A secret that isn't this environment's, or that somebody disabled or
    /// deleted, is left alone.
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
    environment: Declaration,
}

impl Scene {
    /// Makes sure, after a prompt, that the instance is still the one that is meant.
    async fn still_meant(&self) -> Result<(), CommandError> {
        meant(&self.session, &self.environment, Intent::Write).await.map(drop)
    }

    /// Whether this run may call the operations that show keys.
    fn shows_keys(&self) -> bool {
        self.session.surface.mode(self.look.read.provenance) == Mode::Automatic
    }
}

pub(super) async fn run(ui: &Rc<Ui>, args: &Args) -> Result<Exit, CommandError> {
    match &args.command {
        Command::Publish { which, .. } => which.files.leave_input_for("the key")?,
        Command::Revoke { which } => which.files.leave_input_for("the confirmation")?,
        Command::Show { .. } => {}
    }
    match &args.command {
        Command::Show { which, slot: None, reveal: _ } => overview(ui, which).await,
        Command::Show { which, slot: Some(slot), reveal } => show(ui, which, (*slot).into(), *reveal).await,
        Command::Publish { which, slot } => publish(ui, which, (*slot).into()).await,
        Command::Revoke { which } => revoke(ui, which).await,
    }
}

async fn open(ui: &Rc<Ui>, which: &Which, intent: Intent) -> Result<Scene, CommandError> {
    let configuration = which.files.configuration()?;
    let environment = inputs::environment(&configuration, &which.environment)?;
    let keys = declared(environment)?;
    let progress = Rc::new(Progress::new(ui.clone(), "connecting"));
    let session = Session::open(&configuration, &which.connection, intent, progress.clone()).await?;
    let instance = meant(&session, environment, intent).await?;
    if intent == Intent::Write {
        session.ask_however_late();
    }
    progress.end();
    let look = Look::at(keys, instance, configuration.tenant.id).as_caller(session.caller);
    let address = Address::setting(&environment.head.scope(), api_access::Block::KEY).part("keys");
    Ok(Scene { session, look, address, environment: environment.clone() })
}

/// The instance of an environment, if it is the one that is meant. Keys can be looked at also where nothing may be written.
async fn meant(session: &Session, environment: &Declaration, intent: Intent) -> Result<Instance, CommandError> {
    let Arrival { instance, refusals, hosting: _ } = session.survey().reach(environment).await.into_value();
    let stops = |note: &&Note| intent == Intent::Write || note.code != codes::NOT_ACTIVE;
    if let Some(note) = refusals.iter().find(stops) {
        return Err(CommandError::refused(format!("{}: {}; nothing was done", note.code, printable(&note.message))));
    }
    instance.map(|reached| reached.instance).map_err(|unreadable| CommandError::new(unreadable.reason))
}

fn declared(environment: &Declaration) -> Result<&Keys, CommandError> {
    environment.blocks.of::<api_access::Block>().and_then(|access| access.keys.as_ref()).ok_or_else(|| {
        CommandError::new(format!("`{}` declares no `apiAccess.keys`", environment.head.scope()))
            .hint("declare at least `publishTo`; `palisade explain apiAccess.keys` tells more")
    })
}

/// Both keys at a glance. What could not be read is no success: a job may rely on it.
async fn overview(ui: &Rc<Ui>, which: &Which) -> Result<Exit, CommandError> {
    let scene = open(ui, which, Intent::Read).await?;
    let reader = scene.session.reader();
    let overview = match scene.shows_keys() {
        true => scene.look.overview(&reader).await,
        false => scene.look.overview_alone(&reader).await,
    };
    ui.result(&text::text(&which.environment, &overview, scene.session.clock.now()));
    Ok(if overview.incomplete { Exit::Unknown } else { Exit::Done })
}

async fn show(ui: &Rc<Ui>, which: &Which, slot: Slot, reveal: bool) -> Result<Exit, CommandError> {
    let scene = open(ui, which, Intent::Read).await?;
    if !scene.shows_keys() {
        return Err(CommandError::new("Microsoft publishes no operation that shows the keys")
            .hint("look under Settings > Permissions > APIs"));
    }
    let Scene { session, look, address, environment: _ } = scene;
    let (key, fingerprint) = look.show(&session.reader(), slot).await.map_err(CommandError::new)?;
    match reveal {
        true => ui.result(&format!("{}\n", key.expose_secret())),
        false => ui.result(&format!("{address}/{slot}: ******** (fingerprint {fingerprint})\n")),
    }
    Ok(Exit::Done)
}

async fn publish(ui: &Rc<Ui>, which: &Which, slot: Slot) -> Result<Exit, CommandError> {
    let scene = open(ui, which, Intent::Write).await?;
    let shown = scene.shows_keys();
    let key = pasted(ui)?;
    scene.still_meant().await?;
    let record = Record::open(ui, &scene)?;
    let writer = scene.session.writer(&format!("publish a pasted key ({slot})"));
    let done = scene.look.publish_pasted(&writer, slot, &key, shown, &record).await;
    let Pasted { fingerprint, stored, compared } = done.map_err(early)?;
    let what = if stored { "published" } else { "was published already" };
    ui.result(&format!("{}/{slot}: {what} (fingerprint {fingerprint})\n", scene.address));
    if !compared {
        ui.result(&format!(
            "The service accepts the key; whether it is a key of {} couldn't be checked, since no operation shows its \
             keys\n",
            which.environment
        ));
    }
    Ok(if stored { told(ui) } else { Exit::Done })
}

/// How a command ends that has changed something: not as if nothing had been done, if the result can't be told.
fn told(ui: &Ui) -> Exit {
    if ui.failure().is_some() { Exit::Partial } else { Exit::Done }
}

/// From a hidden prompt, or from standard input if that isn't a terminal.
fn pasted(ui: &Ui) -> anyhow::Result<SecretString> {
    let text = match ui.ask_secret("The key, which is not shown:") {
        Some(text) => text,
        None => {
            let mut text = String::new();
            std::io::stdin().take(4096).read_to_string(&mut text).context("standard input can't be read")?;
            text
        }
    };
    Ok(SecretString::from(text))
}

async fn revoke(ui: &Rc<Ui>, which: &Which) -> Result<Exit, CommandError> {
    if let Some(name) = MACHINES.into_iter().find(|name| std::env::var_os(name).is_some()) {
        return Err(CommandError::refused("`keys revoke` is refused in CI: only a person may revoke both keys")
            .hint(format!("{name} is set, which says that a machine runs this; nothing was done")));
    }
    let scene = open(ui, which, Intent::Write).await?;
    if !scene.shows_keys() {
        return Err(CommandError::refused(
            "Microsoft publishes no operation that regenerates the keys; nothing was done",
        )
        .hint("regenerate both under Settings > Permissions > APIs, then `palisade keys publish`"));
    }
    let question = format!(
        "Both API keys of {} stop working, and a new one is published as {}. Type the environment's name to go on:",
        which.environment, scene.look.keys.publish_to
    );
    match ui.ask(&question) {
        Some(answer) if answer == which.environment => {}
        Some(_) => return Err(CommandError::refused("that isn't the environment's name; nothing was done")),
        None => return Err(CommandError::refused("can't ask for confirmation: no terminal; nothing was done")),
    }
    scene.still_meant().await?;
    let record = Record::open(ui, &scene)?;
    scene.look.revoke(&scene.session.writer("revoke both keys"), &record).await.map_err(early)?;
    ui.result(&format!("{}: both keys were regenerated, and the published one works\n", scene.address));
    Ok(told(ui))
}

fn early(ended: Ended) -> CommandError {
    match ended {
        Ended::Refused(reason) => CommandError::refused(reason),
        Ended::Failed(reason) => CommandError::new(reason),
        Ended::PartWay(reason) => {
            CommandError::partial(reason).hint(format!("{JOURNAL} says what was begun and how it ended"))
        }
    }
}

/// Keeps a line in the journal before and after each write.
struct Record<'a> {
    ui: &'a Ui,
    scene: &'a Scene,
    journal: Journal,
    run: String,
}

impl<'a> Record<'a> {
    fn open(ui: &'a Ui, scene: &'a Scene) -> Result<Self, CommandError> {
        let journal = Journal::open(Path::new(JOURNAL));
        let journal = journal.map_err(|error| CommandError::from(error).before_anything_was_done())?;
        Ok(Self { ui, scene, journal, run: scene.session.clock.new_id().to_string() })
    }

    fn line(
        &self,
        step: &str,
        operation: &'static str,
        moment: Moment,
        status: Option<Status>,
        reason: Option<&str>,
    ) -> Result<(), String> {
        let Scene { session, address, .. } = self.scene;
        let (at, target, run) = (session.clock.now(), &session.target, self.run.as_str());
        let entry = Entry { at, run, target, address, step, operation, moment, status, reason };
        self.journal.write(&entry).map_err(|error| error.to_string())
    }
}

impl Witness for Record<'_> {
    fn tell(&self, what: &str) {
        self.ui.status(&printable(what));
    }

    fn begins(&self, step: &str, operation: &'static str) -> Result<(), String> {
        self.line(step, operation, Moment::Started, None, None)
    }

    fn ended(&self, step: &str, operation: &'static str, outcome: Result<(), &str>) {
        let status = if outcome.is_ok() { Status::Done } else { Status::Failed };
        // What was begun is finished all the same; the next write can't begin without its line.
        if let Err(error) = self.line(step, operation, Moment::Ended, Some(status), outcome.err()) {
            self.ui.warning(&error);
        }
    }
}
