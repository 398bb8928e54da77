//! `palisade emulator`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::task::Poll;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::error::CommandError;
use super::exit::Exit;
use super::inputs::{Files, instant};
use super::session::{Intent, faults, pretended};
use super::world::Asked;
use crate::clock::{Clock, Ids};
use crate::emulator::{self, Emulator, Options, SCOPES, SignIn};
use crate::ui::Ui;

/// Serves the services that palisade talks to, on loopback
///
/// Speaks the real routes of Microsoft Entra ID, Microsoft Graph, Customer Insights - Data, Azure Resource Manager and
/// Key Vault (by host: `NAME.vault.localhost`), and serves what Microsoft hasn't published in the product's own style,
/// marked with `x-emulated-surface: undocumented`. With `-f`, the world is given what the configuration talks about. What it doesn't serve is answered with
/// 501 `NotServedByEmulator`. Runs until it is interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// Where to listen for http; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    http: SocketAddr,
    /// Where to listen for https, with a self-signed certificate
    #[arg(long, value_name = "ADDRESS")]
    https: Option<SocketAddr>,
    /// Where to write that certificate
    #[arg(long, value_name = "FILE", default_value = ".palisade/emulator.pem")]
    certificate: PathBuf,
    /// The world: a readable file, made if there is none
    #[arg(long, value_name = "FILE", default_value = ".palisade/emulator.json")]
    world: PathBuf,
    /// Makes calls fail on purpose: a list of rules, see below
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,
    /// Stands the clock at this instant (RFC 3339); `POST /_emulator/clock` moves it
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    now: Option<Timestamp>,
    /// Written once it listens: the addresses, the certificate's path and how to sign in, as JSON
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    #[command(flatten)]
    files: Files,
}

const AFTER_HELP: &str = "\
Other clients, such as Microsoft's own libraries, sign in with --https and these (the ready file has them all):
  tenant          the configuration's (`tenant` in the ready file)
  client id       8f14e45f-0000-4000-8000-0000000000c1
  client secret   palisade-emulator-only (worth nothing elsewhere)
  authority       the https address; tokens: ADDRESS/TENANT/oauth2/v2.0/token
  scopes          https://management.azure.com/.default, https://vault.azure.net/.default,
                  https://graph.microsoft.com/.default, https://api.ci.ai.microsoft.com/.default,
                  https://service.powerapps.com/.default, https://api.powerplatform.com/.default
docs/emulator.md shows it step by step for JavaScript, Python and Azure's command line.

Faults are a list of rules in YAML or JSON. Each says which calls it strikes (a method, a path pattern with `*`, or
both), optionally which of them (`nth`, from 1), and what happens:
  - { operation: GET */rbac/assignments, action: { status: { code: 403 } } }
  - { operation: PUT */assignment, nth: 2, action: { status: { code: 429, headers: { Retry-After: \"3\" } } } }
  - { operation: /v1.0/*, action: { delay: { by: PT3S } } }
  - { operation: PUT */assignment, nth: 1, action: loseAnswer }    # or reset, truncate, crash, quote";

pub(super) async fn run(ui: &Rc<Ui>, args: &Args) -> Result<Exit, CommandError> {
    let configuration = if args.files.is_given() { Some(args.files.configuration()?) } else { None };
    let clock = args.now.map_or_else(Clock::system, pretended);
    let asked = Asked {
        path: &args.world,
        option: "--world",
        configuration: configuration.as_ref(),
        strict: false,
        intent: Intent::Write,
    };
    let world = asked.open(&clock, |line| ui.status(line)).await?;
    let options = Options {
        http: args.http,
        https: args.https,
        certificate: args.https.map(|_| args.certificate.clone()),
        world,
        faults: faults(args.faults.as_deref())?,
        clock,
        ids: Ids::random(),
        observer: None,
    };
    let emulator = emulator::start(options).await?;
    let mut end = std::pin::pin!(interrupted());
    // Listened for before anybody is told that we are here: whoever waits for that may ask us to end at once.
    let ended = std::future::poll_fn(|context| Poll::Ready(end.as_mut().poll(context).is_ready())).await;
    if let Some(path) = &args.ready_file {
        announce(path, &emulator)?;
    }
    ui.result(&format!("The emulator listens on {}\n", emulator.http()));
    if let Some(https) = emulator.https() {
        ui.result(&format!("and on {https}, with the certificate {}\n", args.certificate.display()));
    }
    if let SignIn { tenant: Some(tenant), client_id: Some(id), client_secret: Some(secret), authority, .. } =
        emulator.sign_in()
    {
        ui.result(&format!("Other clients sign in at {authority}{tenant} as {id}, with the secret {secret}\n"));
    }
    if !ended {
        end.await;
    }
    emulator.stop().await;
    ui.status("the emulator stopped");
    Ok(Exit::Done)
}

/// Written beside and renamed, so that whoever waits for the file never reads half of it; for its owner alone.
fn announce(path: &Path, emulator: &Emulator) -> anyhow::Result<()> {
    let origin = |url: &url::Url| url.as_str().trim_end_matches('/').to_owned();
    let SignIn { tenant, client_id, client_secret, authority, token_endpoint, vaults } = emulator.sign_in();
    let scopes: Map<String, Value> =
        SCOPES.iter().map(|(name, resource)| ((*name).to_owned(), json!(format!("{resource}/.default")))).collect();
    let ready = json!({
        "http": origin(emulator.http()),
        "https": emulator.https().map(origin),
        // A client may run in another folder.
        "certificate": emulator.certificate().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned())),
        "tenant": tenant,
        "clientId": client_id,
        "clientSecret": client_secret,
        "authority": origin(&authority),
        "tokenEndpoint": token_endpoint,
        "scopes": scopes,
        "vaults": vaults,
    });
    super::plan::save(path, &format!("{ready}\n"))
}

/// Waits for Ctrl-C, or for whatever else asks a program to end.
pub(super) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler an interrupt ends the program the hard way; there is nothing to wait for then.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
