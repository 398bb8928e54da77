//! One run's connection to the services.

use std::path::Path;
use std::rc::Rc;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

use super::error::CommandError;
use super::files;
use super::inputs::Connection;
use super::world::Asked;
use crate::azure::exchange::Http;
use crate::azure::hosts::Hosts;
use crate::azure::operations::EMULATOR_ABOUT;
use crate::azure::retry::Limits;
use crate::azure::{Call, ClientCredentials, Notices, Reader, Settings, Transport, Writer};
use crate::clock::{Clock, Ids};
use crate::declared::{Configuration, Policy};
use crate::emulator::{self, Emulator};
use crate::plan::{Mode, Target};
use crate::settings::surface::Surface;
use crate::settings::survey::Survey;
use crate::terms::{Face, ObjectId};
use crate::ui::Progress;

/// The variables that name another client of an emulator than the one that palisade seeds. Not Azure's own names: a real
/// secret must never be sent to an emulator.
const CLIENT_ID: &str = "PALISADE_EMULATOR_CLIENT_ID";
const CLIENT_SECRET: &str = "PALISADE_EMULATOR_CLIENT_SECRET";
/// The key that the gateway face demands.
const SUBSCRIPTION_KEY: &str = "PALISADE_SUBSCRIPTION_KEY";
/// Requests in flight to one host. Customer Insights publishes no limit; eight keep a dozen environments busy.
const PER_HOST: usize = 8;

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    /// Looking.
    Read,
    /// Changing.
    Write,
}

/// A connection.
pub(super) struct Session {
    pub(super) clock: Clock,
    pub(super) target: Target,
    pub(super) surface: Surface,
    /// When the run's time is over. No question is asked or waited for from then on, unless the run begins to write before.
    pub(super) ends: Timestamp,
    transport: Rc<Transport>,
    /// The object id of the identity that runs palisade.
    pub(super) caller: Option<ObjectId>,
    tenant: Uuid,
    /// Serves for as long as the session lives.
    _emulator: Option<Emulator>,
}

#[derive(Deserialize)]
struct About {
    world: Uuid,
    tenant: Option<Uuid>,
    now: Timestamp,
}

impl Session {
    /// Connects to what the arguments name, on behalf of a configuration.
    pub(super) async fn open(
        configuration: &Configuration,
        connection: &Connection,
        intent: Intent,
        progress: Rc<Progress>,
    ) -> Result<Self, CommandError> {
        let Some(address) = &connection.emulator else { return Err(no_cloud(connection, intent)) };
        let clock = connection.now.map_or_else(Clock::system, pretended);
        let emulator = match address {
            Some(_) => {
                only_embedded(connection)?;
                None
            }
            None => Some(embedded(configuration, connection, intent, clock.clone(), &progress).await?),
        };
        let address = address.as_ref().or(emulator.as_ref().map(Emulator::http));
        let address = address.ok_or_else(|| CommandError::new("the emulator has no address"))?;
        let tenant = configuration.tenant.id;
        let transport = Rc::new(transport(configuration, address, clock.clone(), progress)?);
        // Signing in takes part of the run's time.
        let timeout = SignedDuration::try_from(connection.timeout).unwrap_or(SignedDuration::MAX);
        let ends = clock.now().saturating_add(timeout).unwrap_or(Timestamp::MAX);
        transport.ask_until(Some(ends));
        let target = Self::recognise(&Reader::new(transport.clone()), address, tenant, connection).await?;
        let caller = transport.caller().await.map_err(|error| {
            let hint = match error.refused {
                true => {
                    format!("check {CLIENT_ID} and {CLIENT_SECRET}, or unset them to use the emulator's own client")
                }
                false => "run this again once Entra answers; nothing was asked of any other service".to_owned(),
            };
            CommandError::from(anyhow::Error::from(error).context("signing in failed")).hint(hint)
        })?;
        let caller = caller.and_then(|caller| caller.object_id);
        let surface = surface(configuration, connection);
        Ok(Self { clock, target, surface, ends, transport, caller, tenant, _emulator: emulator })
    }

    /// A way to look at environments.
    pub(super) fn survey(&self) -> Survey {
        Survey::new(self.reader(), self.tenant, self.caller, self.surface)
    }

    /// From here on questions are asked and waited for however late it is: what is written is looked at before and after.
    pub(super) fn ask_however_late(&self) {
        self.transport.ask_until(None);
    }

    /// The right to read.
    pub(super) fn reader(&self) -> Reader {
        Reader::new(self.transport.clone())
    }

    /// The right to write, for applying.
    pub(super) fn writer(&self, approval: &str) -> Writer {
        Writer::new(self.transport.clone(), approval)
    }

    /// Asks the emulator which world it serves: a plan for one world is refused for every other.
    async fn recognise(
        reader: &Reader,
        address: &Url,
        tenant: Uuid,
        connection: &Connection,
    ) -> Result<Target, CommandError> {
        let answer = reader.send(Call::of(&EMULATOR_ABOUT)).await;
        let about = answer.and_then(|answer| answer.json());
        let about = about.with_context(|| format!("no palisade emulator answers at {address}"));
        let about: About = about.map_err(|error| {
            CommandError::from(error)
                .hint("start one with `palisade emulator -f FILE`, or leave out the address to use the embedded one")
        })?;
        if let Some(found) = about.tenant.filter(|found| *found != tenant) {
            return Err(CommandError::new(format!(
                "the emulator's world is for tenant {found}, the configuration for tenant {tenant}"
            ))
            .hint("use another world: `--emulator-state FILE`, or another emulator"));
        }
        tracing::info!("the emulator at {address} serves the world {}, where it is {}", about.world, about.now);
        debug_assert!(connection.emulator.is_some());
        Ok(Target::Emulator { world: about.world.to_string(), tenant: tenant.to_string() })
    }
}

/// A clock that stands at this instant. Only the time is pretended: the ids of runs and requests stay their own.
pub(super) fn pretended(now: Timestamp) -> Clock {
    Clock::simulated(now).with_ids(Ids::random())
}

/// This version can't sign in to a cloud. A simulated clock is refused for writing there before anything else is said.
fn no_cloud(connection: &Connection, intent: Intent) -> CommandError {
    if connection.now.is_some() && intent == Intent::Write {
        return CommandError::refused("`--now` is refused when applying to a cloud: what happens there happens now");
    }
    CommandError::new("this version of palisade can't sign in to a cloud yet")
        .hint("add `--emulator` to try it out against the embedded emulator")
}

fn surface(configuration: &Configuration, connection: &Connection) -> Surface {
    let observed = match configuration.tenant.unpublished.observed {
        Policy::Allow => Mode::Automatic,
        Policy::Manual => Mode::Manual,
    };
    if connection.as_cloud { Surface::cloud(observed) } else { Surface::EMULATOR }
}

fn transport(
    configuration: &Configuration,
    address: &Url,
    clock: Clock,
    notices: Rc<dyn Notices>,
) -> Result<Transport, CommandError> {
    let hosts = Hosts::emulator(address)?;
    let client_id = variable(CLIENT_ID).unwrap_or_else(|| emulator::CLIENT_ID.to_string());
    let client_secret = variable(CLIENT_SECRET).unwrap_or_else(|| emulator::CLIENT_SECRET.to_owned());
    let tenant = configuration.tenant.id.to_string();
    let subscription_key = variable(SUBSCRIPTION_KEY).map(SecretString::from);
    if configuration.tenant.face == Face::Gateway && subscription_key.is_none() {
        return Err(CommandError::new("the gateway face needs a subscription key, and none is given")
            .hint(format!("set {SUBSCRIPTION_KEY}, or use `face: scaleUnit`, which needs none")));
    }
    Ok(Transport::new(Settings {
        exchange: Rc::new(Http::new(&hosts)),
        hosts,
        face: configuration.tenant.face,
        subscription_key,
        tokens: Box::new(ClientCredentials::new(tenant, client_id, SecretString::from(client_secret))),
        clock,
        limits: Limits::default(),
        per_host: PER_HOST,
        notices,
    }))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Refuses, for a running emulator, what only the embedded one is told.
fn only_embedded(connection: &Connection) -> Result<(), CommandError> {
    let refused = |option: &str| CommandError::new(format!("`{option}` is for the embedded emulator"));
    if connection.emulator_faults.is_some() {
        return Err(
            refused("--emulator-faults").hint("give the faults to the running one: `palisade emulator --faults FILE`")
        );
    }
    if connection.emulator_state.is_some() {
        return Err(refused("--emulator-state")
            .hint("a running emulator keeps its own world: `palisade emulator --world FILE`"));
    }
    if connection.emulator_strict {
        return Err(refused("--emulator-strict").hint(
            "leave it out: a running emulator adds only what it was started with (`palisade emulator -f FILE`)",
        ));
    }
    Ok(())
}

/// Starts the embedded emulator with a world that knows what the configuration talks about.
async fn embedded(
    configuration: &Configuration,
    connection: &Connection,
    intent: Intent,
    clock: Clock,
    progress: &Progress,
) -> Result<Emulator, CommandError> {
    let faults = faults(connection.emulator_faults.as_deref())?;
    let asked = Asked {
        path: connection.state(),
        option: "--emulator-state",
        configuration: Some(configuration),
        strict: connection.emulator_strict,
        intent,
    };
    let world = asked.open(&clock, |line| progress.status(line)).await?;
    let options = emulator::Options {
        http: ([127, 0, 0, 1], 0).into(),
        https: None,
        certificate: None,
        world,
        faults,
        clock,
        ids: Ids::random(),
        observer: None,
    };
    Ok(emulator::start(options).await?)
}

/// Reads a file of fault rules.
pub(super) fn faults(path: Option<&Path>) -> anyhow::Result<Vec<emulator::Rule>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let rules = files::text(path).and_then(|text| emulator::parse_rules(&text).map_err(anyhow::Error::msg));
    rules.with_context(|| format!("the faults in {} can't be used", path.display()))
}
