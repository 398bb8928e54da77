//! Arguments that several commands share: the configuration, and how to reach the services.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::error::CommandError;
use super::observe::{Budget, Limits};
use crate::config::is_stream;
use crate::config::nearest::nearest;
use crate::declared::{self, Configuration};
use crate::plan::Only;
use crate::settings::declaration::Declaration;
use crate::settings::registry::{Registered, SETTINGS};
use crate::terms::Scope;
use crate::ui::Ui;

/// Where the embedded emulator keeps its world, if nothing else is said.
const DEFAULT_STATE: &str = ".palisade/emulator.json";

/// Where the configuration is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct Files {
    /// A file, a folder with files, or `-` for standard input; may be given several times [default: palisade.yaml, else
    /// the folder palisade/]
    #[arg(short, long, value_name = "PATH")]
    file: Vec<PathBuf>,
}

/// Which environments are meant.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct Selection {
    /// Only this environment; several with commas between, or given several times
    #[arg(short, long, value_name = "ENV", value_delimiter = ',', value_parser = named)]
    environment: Vec<String>,
}

/// What a plan is limited to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Only changes whose address begins so, such as `prod/apiAccess/keys`; `*` stands for every environment; may be given
    /// several times
    #[arg(long, value_name = "ADDRESS-PREFIX")]
    only: Vec<Only>,
    /// Allow so many removals in this run, where the usual budget (half of a collection, 20 in all) is too small
    #[arg(long, value_name = "N")]
    allow_removals: Option<usize>,
}

impl LimitArgs {
    /// The options that were given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let Self { only, allow_removals } = self;
        let given = [(!only.is_empty(), "--only"), (allow_removals.is_some(), "--allow-removals")];
        given.into_iter().filter(|(is_given, _)| *is_given).map(|(_, flag)| flag).collect()
    }

    /// As the plan needs them. A prefix that can't meet anything is a mistake: the run would do nothing, and look fine.
    pub(super) fn limits(&self, configuration: &Configuration) -> Result<Limits, CommandError> {
        let budget = self.allow_removals.map_or(Budget::Usual, Budget::AskedFor);
        let only: Only = self.only.iter().cloned().collect();
        let scopes: Vec<Scope> = configuration.scopes().map(|scope| scope.head.scope()).collect();
        let scopes: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
        let settings: Vec<&str> = SETTINGS.iter().map(Registered::key).collect();
        if let Some(stranger) = only.stranger(&scopes, &settings) {
            return Err(CommandError::new(format!("`--only {stranger}` leads to nothing")).hint(format!(
                "environments: {}; settings: {}",
                scopes.join(", "),
                settings.join(", ")
            )));
        }
        Ok(Limits { budget, only })
    }
}

/// How to reach the services.
#[derive(Debug, Args)]
#[command(next_help_heading = "Services")]
pub(super) struct Connection {
    /// Talks to an emulator instead of a cloud: to the one at URL, or to one of its own
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true)]
    pub(super) emulator: Option<Option<Url>>,
    /// Where the embedded emulator keeps its world [default: .palisade/emulator.json]
    #[arg(long, value_name = "FILE")]
    pub(super) emulator_state: Option<PathBuf>,
    /// Faults of the embedded emulator: a list of rules, see `palisade emulator --help`
    #[arg(long, value_name = "FILE")]
    pub(super) emulator_faults: Option<PathBuf>,
    /// Add nothing to the embedded emulator's world: what it doesn't have is missing, as on a real tenant
    #[arg(long)]
    pub(super) emulator_strict: bool,
    /// Treats the emulator like a cloud: what no published operation can do is left to people
    #[arg(long)]
    pub(super) as_cloud: bool,
    /// How long the run may take in all: what isn't read by then is unknown, and no further write is begun
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub(super) timeout: Duration,
    /// Takes this instant for now (RFC 3339); never when writing to a cloud
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub(super) now: Option<Timestamp>,
}

impl Connection {
    /// Where the embedded emulator keeps its world.
    pub(super) fn state(&self) -> &Path {
        self.emulator_state.as_deref().unwrap_or(Path::new(DEFAULT_STATE))
    }

    /// The options as they were given. What was planned for a pretended instant can be applied at no other.
    fn words(&self) -> Vec<String> {
        let Self { emulator, emulator_state, emulator_faults, emulator_strict, as_cloud, timeout: _, now } = self;
        let mut words = match emulator {
            Some(Some(url)) => vec![format!("--emulator={url}")],
            Some(None) => vec!["--emulator".to_owned()],
            None => Vec::new(),
        };
        let state = emulator_state.iter();
        words.extend(state.flat_map(|path| ["--emulator-state".to_owned(), path.display().to_string()]));
        let faults = emulator_faults.iter();
        words.extend(faults.flat_map(|path| ["--emulator-faults".to_owned(), path.display().to_string()]));
        words.extend(emulator_strict.then(|| "--emulator-strict".to_owned()));
        words.extend(as_cloud.then(|| "--as-cloud".to_owned()));
        words.extend(now.iter().flat_map(|now| ["--now".to_owned(), now.to_string()]));
        words
    }
}

/// The command that applies a plan, whole enough to copy.
pub(super) fn apply_command(plan: &Path, files: &Files, connection: &Connection) -> String {
    // A name that looks like an option.
    let name = plan.display().to_string();
    let name = if name.starts_with('-') && !is_stream(plan) { format!("./{name}") } else { name };
    let words = ["palisade".to_owned(), "apply".to_owned(), name];
    let words = words.into_iter().chain(files.words()).chain(connection.words());
    words.map(|word| shell_word(&word)).collect::<Vec<_>>().join(" ")
}

/// A word as a shell takes it.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A duration as people write it on a command line.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|_| "write a duration such as 90s or 15m".to_owned())?;
    Duration::try_from(duration).map_err(|_| "a duration can't be negative".to_owned())
}

/// An instant as people write it on a command line.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let instant = text.trim().parse();
    instant.map_err(|_| "write date, time and offset, such as 2026-12-01T08:00:00Z".to_owned())
}

/// The key of an environment on a command line. An empty one would choose nothing, and the run would look fine.
fn named(key: &str) -> Result<String, String> {
    match key.trim() {
        "" => Err("an environment without a name; write `-e prod`, or `-e prod,test` for several".to_owned()),
        key => Ok(key.to_owned()),
    }
}

impl Files {
    /// Reads the configuration, mistakes and all.
    pub(super) fn load(&self) -> Result<declared::Loaded, CommandError> {
        Ok(declared::load(&self.paths()?))
    }

    /// Reads the configuration; mistakes are an error.
    pub(super) fn configuration(&self) -> Result<Configuration, CommandError> {
        let mut loaded = self.load()?;
        loaded.configuration.take().ok_or_else(|| CommandError::configuration(&loaded))
    }

    /// The options as they were given.
    pub(super) fn words(&self) -> Vec<String> {
        self.file.iter().flat_map(|path| ["-f".to_owned(), path.display().to_string()]).collect()
    }

    /// Whether any file was named.
    pub(super) fn is_given(&self) -> bool {
        !self.file.is_empty()
    }

    /// Refuses a configuration from standard input where `what` is read from there.
    pub(super) fn leave_input_for(&self, what: &str) -> Result<(), CommandError> {
        match self.file.iter().any(|path| is_stream(path)) {
            true => Err(CommandError::new(format!(
                "`-f -` takes standard input for the configuration, but {what} is read from there"
            ))
            .before_anything_was_done()
            .hint("name a file with `-f PATH`")),
            false => Ok(()),
        }
    }

    fn paths(&self) -> Result<Vec<PathBuf>, CommandError> {
        if self.is_given() {
            return Ok(self.file.clone());
        }
        let defaults = ["palisade.yaml", "palisade"];
        defaults.into_iter().find(|path| Path::new(path).exists()).map(|path| vec![PathBuf::from(path)]).ok_or_else(
            || {
                CommandError::new("there is no configuration: neither `palisade.yaml` nor a folder `palisade` is here")
                    .hint("name a file or a folder with `-f PATH`")
            },
        )
    }
}

impl Selection {
    /// The scopes that are meant, in the configuration's order: all of them, or the named environments.
    pub(super) fn of<'a>(
        &self,
        ui: &Ui,
        configuration: &'a Configuration,
    ) -> Result<Vec<&'a Declaration>, CommandError> {
        if !self.is_given() {
            return Ok(configuration.scopes().collect());
        }
        for key in &self.environment {
            environment(configuration, key)?;
        }
        if let Some(tenant) = &configuration.tenant_wide {
            let settings: Vec<&str> = tenant.blocks.keys().collect();
            ui.status(&format!("left out under `-e`: the tenant's own settings ({})", settings.join(", ")));
        }
        let meant = |scope: &&Declaration| self.environment.iter().any(|key| scope.head.is_environment(key));
        Ok(configuration.environments.iter().filter(meant).collect())
    }

    /// The environments that a saved plan is about; naming others as well is a contradiction.
    pub(super) fn is_given(&self) -> bool {
        !self.environment.is_empty()
    }
}

/// The environment of this key.
pub(super) fn environment<'a>(configuration: &'a Configuration, key: &str) -> Result<&'a Declaration, CommandError> {
    let found = configuration.environments.iter().find(|it| it.head.is_environment(key));
    found.ok_or_else(|| {
        let known: Vec<String> = configuration.environments.iter().map(|it| it.head.scope().to_string()).collect();
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        let guess = nearest(key, &names).map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        CommandError::new(format!("the configuration has no environment `{key}`"))
            .hint(format!("{guess}environments: {}", known.join(", ")))
    })
}
