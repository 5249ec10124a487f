//! From view to view: who has left which, and when this replica follows.

use base::{Instant, Outbox};

use super::message::{Claim, Lock, Message, Misbehaviour, NewView};
use super::{Agreement, Deadline};

impl Agreement {
    pub(super) fn on_new_view(
        &mut self,
        now: Instant,
        seat: u16,
        statement: NewView,
        lock: Option<Lock>,
        out: &mut Outbox<Self>,
    ) -> Result<(), Misbehaviour> {
        let node = self.config.replicas[usize::from(seat)];
        if let Some(known) = self
            .statements
            .get(&seat)
            .filter(|s| s.view >= statement.view)
        {
            if known.view == statement.view && known.claim != statement.claim {
                return Err(Misbehaviour::Equivocation);
            }
            self.justify(now, seat, statement.view, out);
            return Ok(());
        }
        statement.check(node, self.config.instance)?;
        if self.config.leader(statement.view) == self.me {
            self.adopt(statement.claim, lock)?;
        }
        self.statements.insert(seat, statement);
        self.catch_up(now, out);
        self.reconsider_proposals(now, out);
        Ok(())
    }

    /// Leaves all views before `view`, and says so.
    pub(super) fn move_on(&mut self, now: Instant, view: u64, out: &mut Outbox<Self>) {
        // A lock proves that a quorum has been in its view; a statement can only name locks of earlier views.
        let view = view.max(self.lock_view().map_or(0, |lock| lock.saturating_add(1)));
        self.move_to(view);
        self.state_view(now, out);
    }

    /// Leaves all views before `view`, which must be later than this replica's lock.
    pub(super) fn move_to(&mut self, view: u64) {
        let claim = self.state.lock.as_ref().map(|lock| Claim {
            view: lock.certificate.view,
            value: (self.config.name)(&lock.value),
        });
        self.state.view = view;
        self.state.prevoted = None;
        self.state.statement = Some(NewView::sign(&self.key, self.config.instance, view, claim));
        self.entered = false;
        self.proposal = None;
        self.unjustified = self.unjustified.split_off(&view);
    }

    /// Tells everybody that this replica has moved here, and again later until enough others have.
    pub(super) fn state_view(&mut self, now: Instant, out: &mut Outbox<Self>) {
        self.set_deadline(now + self.config.first_timeout, out);
        let Some(statement) = self.state.statement.clone() else {
            return;
        };
        let leader = self.config.leader(statement.view);
        let message = |to| {
            let lock = self.state.lock.clone().filter(|_| to == leader);
            (
                to,
                Message::NewView {
                    statement: statement.clone(),
                    lock,
                },
            )
        };
        let messages = self.config.replicas.iter().map(|&to| message(to)).collect();
        self.persist(messages, out);
    }

    /// Keeps the highest lock that a peer proves. A leader may propose it, and anyone may pass it on.
    fn adopt(&mut self, claim: Option<Claim>, lock: Option<Lock>) -> Result<(), Misbehaviour> {
        let Some(claim) = claim else { return Ok(()) };
        let known = self.lock_view();
        if known >= Some(claim.view) {
            return Ok(());
        }
        let lock = lock
            .filter(|lock| lock.certificate.view >= claim.view)
            .ok_or(Misbehaviour::UnprovenClaim)?;
        self.config.check_lock(&lock)?;
        self.state.lock = Some(lock);
        Ok(())
    }

    /// Follows the others to where an honest one is, and starts the view once a quorum is there.
    fn catch_up(&mut self, now: Instant, out: &mut Outbox<Self>) {
        let mut views: Vec<u64> = self.statements.values().map(|s| s.view).collect();
        views.sort_unstable_by(|a, b| b.cmp(a));
        let reached = |count: usize| views.get(count - 1).copied().unwrap_or(0);
        let honest = reached(self.config.more_than_liars());
        if honest > self.state.view {
            self.move_on(now, honest, out);
        }
        if reached(self.config.quorum) >= self.state.view {
            self.enter(now, out);
        }
        self.propose(now, out);
    }

    /// Starts this view's timeout, if it does not run yet.
    pub(super) fn enter(&mut self, now: Instant, out: &mut Outbox<Self>) {
        if !self.entered {
            self.entered = true;
            self.set_deadline(now + self.config.timeout(self.state.view), out);
        }
    }

    pub(super) fn set_deadline(&mut self, at: Instant, out: &mut Outbox<Self>) {
        self.deadline = Some(at);
        out.wake(at, Deadline);
    }

    /// The view of the highest known quorum of prevotes.
    pub(super) fn lock_view(&self) -> Option<u64> {
        self.state.lock.as_ref().map(|lock| lock.certificate.view)
    }
}
