//! The laws, held against a small machine that has every kind of stage: fund, count blocks, claim.

use super::*;
use crate::machine::Unit;
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Funding,
    Counting(u32),
    Claiming,
    Claimed,
    Releasing,
    Stopped,
    Lost,
    Dead,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Input {
    Funded,
    Block,
    Claimed,
    Released,
    NoCoins,
    Forget,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Effect {
    Fund(u64),
    Claim,
    Release,
    Notify,
}

struct Bridge;

impl Machine for Bridge {
    const KIND: &'static str = "bridge";
    type Order = u64;
    type State = State;
    type Input = Input;
    type Effect = Effect;

    fn start(order: &u64) -> Result<(State, Vec<Effect>), Refusal> {
        match order {
            0 => Err(Code::BadAmount.into()),
            sat => Ok((State::Funding, vec![Effect::Fund(*sat), Effect::Notify])),
        }
    }

    fn step(state: &State, input: &Input) -> Result<(State, Vec<Effect>), Refusal> {
        Ok(match (state, input) {
            (State::Funding, Input::Funded) => (State::Counting(0), vec![]),
            (State::Funding, Input::NoCoins) => (State::Dead, vec![]),
            (State::Counting(9), Input::Block) => (State::Claiming, vec![Effect::Claim]),
            (State::Counting(n), Input::Block) => (State::Counting(n + 1), vec![]),
            (State::Claiming, Input::Claimed) => (State::Claimed, vec![]),
            (State::Claiming, Input::Forget) => (State::Lost, vec![]),
            (State::Releasing, Input::Released) => (State::Stopped, vec![]),
            (_, Input::NoCoins) => return Err(Code::BadRequest.into()),
            (same, _) => (same.clone(), vec![]),
        })
    }

    fn stop(state: &State) -> Result<(State, Vec<Effect>), Refusal> {
        match state {
            State::Funding => Ok((State::Releasing, vec![Effect::Release])),
            _ => Err(Code::BadRequest.into()),
        }
    }

    fn past_no_return(state: &State) -> bool {
        !matches!(state, State::Funding)
    }

    fn stage(state: &State) -> Stage {
        match state {
            State::Funding | State::Claiming | State::Releasing | State::Lost => Stage::Working,
            State::Counting(_) => Stage::Waiting,
            State::Claimed => Stage::Done,
            State::Stopped => Stage::Stopped,
            State::Dead => Stage::Failed(Code::InsufficientFunds.into()),
        }
    }

    fn progress(state: &State) -> Progress {
        let done = match state {
            State::Counting(n) => *n,
            State::Claiming | State::Claimed => 10,
            _ => 0,
        };
        Progress { done, of: 10, unit: Unit::BitcoinBlocks, eta: None }
    }
}

/// What the world throws at an operation; `Answer(n)` answers the n-th outstanding effect.
#[derive(Debug, Clone)]
enum Throw {
    Unasked(Input),
    Answer(usize, Input),
    Stop,
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        4 => Just(Input::Block),
        2 => Just(Input::Funded),
        2 => Just(Input::Claimed),
        1 => Just(Input::Released),
        1 => Just(Input::NoCoins),
        1 => Just(Input::Forget),
    ]
}

fn any_throw() -> impl Strategy<Value = Throw> {
    prop_oneof![
        5 => any_input().prop_map(Throw::Unasked),
        5 => (0usize..3, any_input()).prop_map(|(n, input)| Throw::Answer(n, input)),
        1 => Just(Throw::Stop),
    ]
}

fn event(log: &Log<Bridge>, throw: &Throw) -> Event<u64, Input> {
    match throw {
        Throw::Unasked(input) => Event::Input { input: input.clone(), answers: None },
        Throw::Answer(n, input) => {
            let answers = Some(log.outstanding().get(*n).map_or(EffectId { seq: 999, index: 0 }, |issued| issued.id));
            Event::Input { input: input.clone(), answers }
        }
        Throw::Stop => Event::Stop,
    }
}

/// Runs an operation and returns its log with the entries that a store would hold.
fn run(throws: &[Throw]) -> (Log<Bridge>, Vec<Entry<u64, Input>>) {
    let first = Log::<Bridge>::start(7).expect("a good order");
    let mut entries = vec![first.entry.clone()];
    let mut log = Log::begin(first);
    for throw in throws {
        if let Ok(step) = log.propose(event(&log, throw)) {
            entries.push(step.entry.clone());
            log.commit(step);
        }
    }
    (log, entries)
}

fn through_json(entries: &[Entry<u64, Input>]) -> Vec<Entry<u64, Input>> {
    serde_json::from_str(&serde_json::to_string(entries).expect("serializes")).expect("reads back")
}

proptest! {
    #[test]
    fn replaying_the_stored_entries_yields_the_state_and_the_outstanding_effects(
        throws in prop::collection::vec(any_throw(), 0..40)
    ) {
        let (log, entries) = run(&throws);
        let again = Log::<Bridge>::replay(through_json(&entries)).expect("its own log");
        prop_assert_eq!(again.state(), log.state());
        prop_assert_eq!(again.outstanding(), log.outstanding());
        prop_assert_eq!(again.next_seq(), log.next_seq());
    }

    #[test]
    fn a_crash_after_any_entry_reissues_effects_under_their_old_ids(
        throws in prop::collection::vec(any_throw(), 0..40), cut in 1usize..40
    ) {
        let (_, entries) = run(&throws);
        let cut = cut.min(entries.len());
        let mut seen = std::collections::BTreeMap::new();
        for upto in 1..=cut {
            let log = Log::<Bridge>::replay(entries[..upto].to_vec()).expect("a prefix of a log is a log");
            for issued in log.outstanding() {
                let first = seen.entry(issued.id).or_insert_with(|| issued.effect.clone());
                prop_assert_eq!(&*first, &issued.effect, "one id, one effect");
                prop_assert!(issued.id.seq < log.next_seq());
            }
        }
    }

    #[test]
    fn what_is_over_stays_over_and_a_refusal_changes_nothing(
        throws in prop::collection::vec(any_throw(), 0..40), more in any_throw()
    ) {
        let (log, _) = run(&throws);
        let before = (log.state().clone(), log.outstanding().to_vec(), log.next_seq());
        let answer = log.propose(event(&log, &more));
        prop_assert_eq!(before, (log.state().clone(), log.outstanding().to_vec(), log.next_seq()));
        if log.stage().is_terminal() {
            prop_assert!(answer.is_err());
            prop_assert!(log.outstanding().is_empty());
            prop_assert_eq!(log.resume(), Resume::Over);
        }
        if !log.can_stop() {
            prop_assert!(log.propose(Event::Stop).is_err());
        }
    }

    #[test]
    fn no_return_stays_no_return(throws in prop::collection::vec(any_throw(), 0..40)) {
        let (_, entries) = run(&throws);
        let mut past = false;
        for upto in 1..=entries.len() {
            let log = Log::<Bridge>::replay(entries[..upto].to_vec()).expect("a prefix of a log is a log");
            prop_assert!(!past || !log.can_stop());
            past |= Bridge::past_no_return(log.state());
        }
    }
}

fn answered(log: &mut Log<Bridge>, input: Input) {
    let answers = log.outstanding().first().map(|issued| issued.id);
    let step = log.propose(Event::Input { input, answers }).expect("accepted");
    log.commit(step);
}

fn begun() -> Log<Bridge> {
    Log::begin(Log::<Bridge>::start(7).expect("a good order"))
}

#[test]
fn an_order_that_is_refused_leaves_nothing() {
    assert_eq!(Log::<Bridge>::start(0).err().map(|refusal| refusal.code), Some(Code::BadAmount));
}

#[test]
fn resuming_tells_recovered_waiting_stuck_and_over_apart() {
    let mut log = begun();
    assert_eq!(
        log.resume(),
        Resume::Recovered(vec![
            Issued { id: EffectId { seq: 0, index: 0 }, effect: Effect::Fund(7) },
            Issued { id: EffectId { seq: 0, index: 1 }, effect: Effect::Notify },
        ])
    );
    answered(&mut log, Input::Funded);
    answered(&mut log, Input::Released);
    assert_eq!(log.resume(), Resume::Waiting);
    for _ in 0..10 {
        answered(&mut log, Input::Block);
    }
    assert_eq!(log.progress().done, 10);
    assert_eq!(log.resume(), Resume::Recovered(vec![Issued { id: EffectId { seq: 12, index: 0 }, effect: Effect::Claim }]));
    let mut lost = begun();
    for input in [Input::Funded, Input::Released] {
        answered(&mut lost, input);
    }
    (0..10).for_each(|_| answered(&mut lost, Input::Block));
    answered(&mut lost, Input::Forget);
    assert_eq!(lost.resume(), Resume::Stuck);
    answered(&mut log, Input::Claimed);
    assert_eq!(log.resume(), Resume::Over);
}

#[test]
fn stopping_undoes_before_the_point_of_no_return_and_is_refused_after_it() {
    let mut log = begun();
    let stop = log.propose(Event::Stop).expect("still possible");
    log.commit(stop);
    assert_eq!(log.outstanding(), [Issued { id: EffectId { seq: 1, index: 0 }, effect: Effect::Release }]);
    answered(&mut log, Input::Released);
    assert_eq!(log.stage(), Stage::Stopped);

    let mut log = begun();
    answered(&mut log, Input::Funded);
    assert_eq!(log.propose(Event::Stop).err().map(|refusal| refusal.code), Some(Code::PointOfNoReturn));
}

#[test]
fn entries_that_are_no_log_are_refused_by_name() {
    let block = |seq| Entry { seq, event: Event::Input { input: Input::Block, answers: None } };
    let start = |seq| Entry { seq, event: Event::Start(7) };
    let no_coins = Entry { seq: 2, event: Event::Input { input: Input::NoCoins, answers: None } };
    let funded = Entry { seq: 1, event: Event::Input { input: Input::Funded, answers: None } };
    let unknown = Event::Input { input: Input::Block, answers: Some(EffectId { seq: 5, index: 0 }) };
    let gone = Refusal::new(Code::NotFound).with("what", "effect");
    for (entries, expected) in [
        (vec![], ReplayError::NoStart),
        (vec![block(0)], ReplayError::NoStart),
        (vec![start(1)], ReplayError::NoStart),
        (vec![start(0), block(2)], ReplayError::Gap { wanted: 1, found: 2 }),
        (vec![start(0), block(1), block(1)], ReplayError::Gap { wanted: 2, found: 1 }),
        (vec![start(0), start(1)], ReplayError::Gap { wanted: 1, found: 1 }),
        (vec![start(0), funded, no_coins], ReplayError::Refused { seq: 2, refusal: Code::BadRequest.into() }),
        (vec![start(0), Entry { seq: 1, event: unknown }], ReplayError::Refused { seq: 1, refusal: gone }),
    ] {
        assert_eq!(Log::<Bridge>::replay(entries).err(), Some(expected));
    }
}

#[test]
#[should_panic(expected = "driven twice")]
fn two_drivers_of_one_operation_are_caught() {
    let mut log = begun();
    let block = || Event::Input { input: Input::Block, answers: None };
    let (one, two) = (log.propose(block()).expect("accepted"), log.propose(block()).expect("accepted"));
    log.commit(one);
    log.commit(two);
}
