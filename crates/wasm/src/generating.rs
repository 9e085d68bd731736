//! One generation: one token after another, or by a strategy.

use std::cell::RefCell;
use std::rc::Rc;

use goldcrest::decode::speculate::SharedLearnt;
use goldcrest::sample::Constraint;
use goldcrest::{EngineError, Event, Request, Runtime, Session};
use serde_json::{Value, json};

use crate::error::Failure;
use crate::events::Events;
use crate::other::First;
use crate::record::Recorder;
use crate::report;
use crate::request::{Asked, request};
use crate::sampler;
use crate::strategy::Strategy;

/// What a generation works with.
pub(crate) struct Call {
    pub(crate) first: Rc<First>,
    pub(crate) session: Rc<RefCell<Session>>,
    pub(crate) others: Vec<Rc<RefCell<Runtime>>>,
    pub(crate) learnt: SharedLearnt,
    pub(crate) events: Rc<Events>,
}

impl Call {
    /// Runs it to its end, and gives its statistics.
    #[allow(
        clippy::await_holding_refcell_ref,
        reason = "the borrow is tried: a second generation is told Busy"
    )]
    pub(crate) async fn run(
        mut self,
        asked: &str,
        constraint: Option<Box<dyn Constraint>>,
    ) -> Result<Value, Failure> {
        let Asked { mut request, strategy, record } = request(asked)?;
        request.constraint = constraint;
        sampler::complete(&mut request.sampler, self.first.engine.text());
        let cell = Rc::clone(&self.session);
        let mut session = cell.try_borrow_mut().map_err(|_| EngineError::Busy)?;
        let mut recorder = None;
        if let Some(wanted) = record {
            let greedy = request.sampler.is_greedy();
            let way = strategy.as_ref().map(|strategy| strategy.recorded(&session, greedy)).transpose()?;
            let takes = strategy.as_ref().is_some_and(Strategy::takes_model);
            let wanted = wanted.of_others(if takes { self.others.len() } else { 0 });
            // Models that the record does not name, whoever repeats it does not have.
            self.others.truncate(wanted.n_others());
            recorder = Some(Recorder::begin(wanted, &mut request, way, &session)?);
        }
        let (mut stats, tokens) = match strategy {
            Some(strategy) => strategy.run(&mut session, &request, &self, &mut recorder).await?,
            None => self.plainly(&mut session, request, &mut recorder).await?,
        };
        if let Some(recorder) = recorder {
            stats["record"] = recorder.end(&self.first, &tokens)?;
        }
        Ok(stats)
    }

    async fn plainly(
        &self,
        session: &mut Session,
        request: Request,
        recorder: &mut Option<Recorder>,
    ) -> Result<(Value, Vec<u32>), Failure> {
        let mut generation = session.generate(request)?;
        self.events.emit(json!({ "type": "prompt", "tokens": generation.prompt() })).await?;
        loop {
            if self.events.signal.aborted() {
                generation.abort();
            }
            match generation.next().await? {
                Some(event) => self.tell(event, recorder).await?,
                None => break,
            }
        }
        let tokens = generation.tokens().to_vec();
        Ok((report::stats(&generation.stats()?, &tokens), tokens))
    }

    /// Passes an event on.
    pub(crate) async fn tell(
        &self,
        mut event: Event,
        recorder: &mut Option<Recorder>,
    ) -> Result<(), Failure> {
        if let Some(recorder) = recorder {
            recorder.see(&mut event);
        }
        self.events.emit(report::event(&event, self.first.engine.text())).await
    }
}
