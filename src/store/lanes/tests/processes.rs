//! Processes that are killed, and others that go on.

use std::process::{Child, Command, Stdio};

use super::*;

/// Set for a child process: which part it plays.
const PART: &str = "CLAVIGER_TEST_PART";
const PLACE: &str = "CLAVIGER_TEST_PLACE";

/// This test binary, about to run one test of its own in the given part.
pub(super) fn part(test: &str, part: &str, place: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let tests = module_path!().split_once("::").unwrap().1.strip_suffix("::processes").unwrap();
    command.args([&format!("{tests}::{test}"), "--exact", "--nocapture", "--test-threads=1"]);
    command.env(PART, part).env(PLACE, place).stdout(Stdio::piped());
    command
}

/// The part that this process was started for, and where.
pub(super) fn own_part() -> Option<(String, PathBuf)> {
    Some((std::env::var(PART).ok()?, PathBuf::from(std::env::var_os(PLACE)?)))
}

/// Waits for the children and gives the words that each said after "answer:".
pub(super) fn answers(children: Vec<Child>) -> Vec<String> {
    let answer = |child: Child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "a child failed: {output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        let (_, answer) = said.split_once("answer:").expect("an answer");
        answer.lines().next().unwrap().trim().to_owned()
    };
    children.into_iter().map(answer).collect()
}

/// Kills a child and gives the whole lines that it said before.
fn killed(mut child: Child) -> Vec<String> {
    child.kill().unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let (whole, _) = said.rsplit_once('\n').unwrap_or_default();
    whole.lines().map(str::to_owned).collect()
}

/// The last number that a killed process was told, and its lane.
fn told(lines: &[String]) -> Option<(LaneId, u64)> {
    let line = lines.iter().rev().find_map(|line| line.strip_prefix("kept: "))?;
    let (lane, seq) = line.split_once(' ')?;
    Some((LaneId::parse(lane)?, seq.parse().ok()?))
}

fn wait_for(lanes: usize, token: &Token) {
    for _ in 0..2_000 {
        if token.listed().len() >= lanes {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("no lane was opened");
}

#[test]
fn a_killed_process_loses_nothing_that_it_was_told() {
    const TEST: &str = "processes::a_killed_process_loses_nothing_that_it_was_told";
    if let Some((name, place)) = own_part() {
        let token = Token::at(&place);
        let lane = token.lane();
        for number in 1_u64.. {
            println!("kept: {} {}", lane.id(), use_key(&lane));
            if name == "sealing" && number.is_multiple_of(100) {
                token.seal(&lane);
            }
        }
    }
    let token = Token::new();
    for round in 0..8 {
        let name = ["using", "sealing"][round % 2];
        let child = part(TEST, name, &token.directory).spawn().unwrap();
        wait_for(1, &token);
        let (_, found) = token.recover();
        assert_eq!(found, [], "its owner is alive");
        std::thread::sleep(Duration::from_millis(30 + 13 * round as u64));
        let (lane, last) = told(&killed(child)).expect("records");
        let (_, found) = token.recover();
        let [Found { lane: of, records, fate: Fate::Cut { .. } }] = found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(of, lane);
        assert!(records >= last, "{records} of {last}");
        assert_eq!(token.numbers(lane), up_to(records));
        assert!(token.listed().is_empty() && token.seen().is_empty());
    }
    assert_eq!(count(&token.log(), "its process ended without closing it"), 8);
}

/// Every process recovers what it finds, and is killed at some moment.
#[test]
fn many_processes_recover_each_other() {
    const TEST: &str = "processes::many_processes_recover_each_other";
    if let Some((_, place)) = own_part() {
        let token = Token::at(&place);
        loop {
            token.recover();
            let lane = token.lane();
            for _ in 0..300 {
                println!("kept: {} {}", lane.id(), use_key(&lane));
            }
            token.seal(&lane);
            use_times(&lane, 50);
            loop {
                let mut transaction = token.begin();
                let batch = lane.close(&mut *transaction).unwrap();
                transaction.commit().unwrap();
                if !batch.committed().unwrap() {
                    break;
                }
            }
        }
    }
    let token = Token::new();
    let start = || part(TEST, "one", &token.directory).spawn().unwrap();
    let mut children: Vec<_> = (0..4).map(|_| start()).collect();
    let mut all = Vec::new();
    for round in 0..16_u64 {
        std::thread::sleep(Duration::from_millis(40 + round * 11 % 70));
        let child = children.remove(0);
        children.push(start());
        all.push(killed(child));
    }
    all.extend(children.into_iter().map(killed));
    token.recover();
    assert!(token.listed().is_empty(), "{:?}", token.listed());
    let leaves = token.log();
    assert_eq!(count(&leaves, "lane-distrusted"), 0);
    let kept: Vec<_> =
        all.iter().flatten().filter_map(|line| line.strip_prefix("kept: ")).collect();
    assert!(kept.len() > 100);
    let in_log: std::collections::BTreeSet<String> = leaves
        .iter()
        .filter_map(|leaf| {
            let leaf = Leaf::parse(leaf.as_bytes()).unwrap();
            leaf.record().map(|record| format!("{} {}", record.lane, record.seq))
        })
        .collect();
    assert!(kept.iter().all(|one| in_log.contains(*one)));
    // Whoever was killed right after a commit has left a lane that is over.
    assert!(token.seen().iter().all(|name| name == "unlisted"), "{:?}", token.seen());
}
