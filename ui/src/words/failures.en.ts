import type { FailureWords } from './failure';

/** What happened, why, and what to do now. A pair holds the sentence with its figures and the one without. */
export const failuresEn: FailureWords = {
  'locked': {
    what: 'The wallet is locked.',
    why: 'Its keys are closed until you type the password.',
    now: 'Unlock it and try again.',
  },
  'wrong-password': {
    what: 'The password does not open this wallet.',
    why: 'Each wrong try makes the next one wait longer.',
    now: ['Try again in {wait_seconds}.', 'Check the keyboard layout and try again.'],
  },
  'too-many-tries': {
    what: 'Too many wrong passwords.',
    why: 'The wait protects the wallet from guessing.',
    now: ['Try again in {wait_seconds}.', 'Wait a while and try again.'],
  },
  'weak-password': {
    what: 'The password is too short.',
    why: ['It must have at least {least} characters.', 'A short password can be guessed.'],
    now: 'Choose a longer one; a sentence is easy to remember.',
  },
  'bad-words': {
    what: 'These are not valid recovery words.',
    why: ['Word {position} is not in the list.', 'The last word does not fit the others, so one of them is wrong or out of order.'],
    now: 'Compare each word with your paper.',
  },
  'words-do-not-match': {
    what: 'The words do not match the ones shown.',
    why: ['Word {position} is different.', 'One of them is different.'],
    now: 'Look at your paper and type it again.',
  },
  'bad-descriptor': {
    what: 'The descriptor cannot be used.',
    why: 'It cannot be read, or it belongs to another network.',
    now: 'Paste the whole descriptor with its checksum.',
  },
  'profile-in-use': {
    what: 'Another window already has this profile open.',
    why: 'Two programs writing one wallet would damage it.',
    now: 'Use the window that is open, or close it first.',
  },
  'wrong-realm': {
    what: 'This profile belongs to another network.',
    why: ['It was made for {profile}, and the app was started for {realm}.', 'It was made for other chains than the ones the app was started for.'],
    now: 'Start the app with the profile of this network.',
  },
  'bad-realm': {
    what: 'The network file cannot be used.',
    why: ['The field {field} is missing or contradicts another.', 'A field is missing or contradicts another.'],
    now: 'Correct the file and start again.',
  },
  'unknown-wallet': {
    what: 'There is no such wallet here.',
    why: 'It may have been forgotten on this computer.',
    now: 'Choose a wallet in Settings, or restore it from its words.',
  },
  'watch-only': {
    what: 'This wallet only watches.',
    why: 'Its keys are not on this computer.',
    now: 'Export the draft and sign it where the keys are.',
  },
  'bad-vault': {
    what: 'The key file of this wallet is damaged.',
    why: 'It cannot be read, or it asks for less protection than allowed.',
    now: 'Restore the wallet from its words.',
  },
  'disk-full': {
    what: 'The disk is full.',
    why: 'Nothing is sent before it is saved, so this was not done.',
    now: 'Make space and try again.',
  },
  'disk-failed': {
    what: 'The disk cannot be written.',
    why: 'Nothing is sent before it is saved, so this was not done.',
    now: 'Check the disk and its permissions, then try again.',
  },
  'bad-release': {
    what: 'This is no release package that counts.',
    why: ['It says: {why}.', 'It is damaged, or somebody signed it who may not.'],
    now: 'Get the package from where you got the app, and install nothing of this one.',
  },
  'release-short': {
    what: 'Too few have signed this release.',
    why: ['{have} of {need} signatures by role {role}.', 'One group that must agree has not.'],
    now: 'Wait for the other signatures and install nothing until then.',
  },
  'release-old': {
    what: 'This release is not newer than what is installed.',
    why: ['Installed is {installed}, offered is {offered}.', 'An older version may have faults that are known.'],
    now: 'Keep what is installed.',
  },
  'release-foreign': {
    what: 'This release has no file for this machine.',
    why: ['None of its files is for {platform}.', 'None of its files fits.'],
    now: 'Get the release for this kind of machine.',
  },
  'release-file': {
    what: 'This file is not the one that was signed.',
    why: ['{name} has another size or another hash.', 'It has another size or another hash.'],
    now: 'Do not install it. Download it again.',
  },
  'unknown-command': {
    what: 'The app does not know this request.',
    why: 'The window and the program are of different versions.',
    now: 'Install the app again.',
  },
  'bad-request': {
    what: 'The request cannot be read.',
    why: ['The field {field} is missing or has a wrong form.', 'A field is missing or has a wrong form.'],
    now: 'Check what you typed and try again.',
  },
  'not-found': {
    what: 'This is not here any more.',
    why: 'It may have been removed, replaced or never seen by this wallet.',
    now: 'Go back and look at the list.',
  },
  'not-offered': {
    what: 'This network does not offer that.',
    why: 'Test coins and blocks on request exist only in the sandbox.',
    now: 'Use another way, or start the sandbox.',
  },
  'bad-address': {
    what: 'This is no address.',
    why: 'It is damaged or incomplete: its checksum does not fit.',
    now: 'Copy the whole address again.',
  },
  'wrong-network': {
    what: 'An address of another network.',
    why: ['It is for {found}; this wallet is on {wanted}.', 'Coins sent there would not arrive.'],
    now: 'Ask for an address of this network.',
  },
  'bitcoin-address': {
    what: 'A Bitcoin address.',
    why: 'This pays on the sidechain.',
    now: 'Use Peg out instead.',
  },
  'sidechain-address': {
    what: 'A sidechain address.',
    why: 'This pays on Bitcoin.',
    now: 'Use Peg in instead.',
  },
  'explicit-address': {
    what: 'An address without blinding.',
    why: 'Everybody would see the amount and the asset.',
    now: 'Ask for a confidential address, or allow this one.',
  },
  'bad-amount': {
    what: 'This is no amount.',
    why: ['It must be above zero and have at most {precision} decimal places.', 'It must be a number above zero.'],
    now: 'Type it again, with a point before the fraction.',
  },
  'dust': {
    what: 'The amount is too small to be sent.',
    why: ['The smallest output that peers pass on is {least}.', 'Peers do not pass on outputs this small.'],
    now: 'Send more, or add it to a larger payment.',
  },
  'above-supply': {
    what: 'The amount is more than can exist.',
    why: ['At most {most} can ever exist.', 'There will never be that many.'],
    now: 'Check the decimal point.',
  },
  'insufficient-funds': {
    what: 'There is not enough to spend.',
    why: ['{available} is spendable and {needed} is needed.', 'Frozen and pending coins do not count.'],
    now: 'Lower the amount, or receive some first.',
  },
  'insufficient-fee': {
    what: 'The fee cannot be paid.',
    why: ['The payment is covered, but {needed} is needed with the fee and {available} is there.', 'The payment is covered, but nothing is left for the fee.'],
    now: 'Lower the amount or the rate, or send all.',
  },
  'fee-too-high': {
    what: 'The fee is too large a share of the payment.',
    why: ['Fee is {percent} % of the payment. The limit is {limit} %.', 'It is above the limit that you set.'],
    now: 'Lower the rate or raise the limit in Settings.',
  },
  'fee-too-low': {
    what: 'The fee rate is too low.',
    why: ['Peers pass on transactions from {least} on.', 'Peers would not pass the transaction on.'],
    now: 'Choose a higher rate.',
  },
  'coin-unavailable': {
    what: 'A chosen coin cannot be spent.',
    why: 'It is frozen, reserved, already spent or not yours.',
    now: 'Choose other coins.',
  },
  'no-recipients': {
    what: 'Nobody to pay.',
    why: 'A payment needs at least one recipient.',
    now: 'Paste an address.',
  },
  'unknown-asset': {
    what: 'This wallet does not know the asset.',
    why: 'It has never held it and has no contract for it.',
    now: 'Import the contract, or check the asset id.',
  },
  'no-token': {
    what: 'The reissuance token is not here.',
    why: 'Only the wallet that holds the token can create more.',
    now: 'Receive the token first.',
  },
  'bad-contract': {
    what: 'The contract is not allowed.',
    why: ['The field {field} has a form that the standard refuses.', 'A field has a form that the standard refuses.'],
    now: 'Change it and try again.',
  },
  'holds-assets': {
    what: 'This coin holds assets.',
    why: 'Spending it as bitcoin would destroy them.',
    now: 'Choose other coins, or send the assets instead.',
  },
  'colour-unknown': {
    what: 'What this coin holds is not certain.',
    why: ['The coin is frozen: {why}.', 'The coin is frozen until its history is known.'],
    now: 'Wait for its history, or look at the reason before you unfreeze it.',
  },
  'wrong-colouring': {
    what: 'This transaction would not do what you asked.',
    why: ['With assets it does something else: {why}.', 'With assets it does something else.'],
    now: 'Nothing was signed. Plan it again.',
  },
  'plain-address': {
    what: 'This is an ordinary address.',
    why: 'The wallet behind it may not know assets and destroy them.',
    now: 'Ask for an Open Assets address, or say that the wallet keeps assets.',
  },
  'no-issuing-coin': {
    what: 'The issuing address holds no coin.',
    why: 'Whoever issues more spends a coin of the address that issued first.',
    now: ['Send some bitcoin to {address}, then try again.', 'Send some bitcoin to the issuing address, then try again.'],
  },
  'registry-unreachable': {
    what: 'The asset registry cannot be reached.',
    why: ['{registry} does not answer ({why}).', 'It does not answer.'],
    now: 'Nothing depends on it. Ask again later.',
  },
  'registry-lies': {
    what: 'The asset registry says what cannot be true.',
    why: ['What {registry} says does not fit the id of the asset ({why}).', 'What it says does not fit the id of the asset.'],
    now: 'Believe nothing of it. Compare the contract with the issuer\'s own copy.',
  },
  'registry-refused': {
    what: 'The asset registry does not take the asset.',
    why: ['{registry} answered with status {status}.', 'It answered no.'],
    now: 'Publish the proof file at your domain, wait until the issuance is in a block, and try again. What is registered already is not taken twice.',
  },
  'ledger-refused': {
    what: 'The ledger\'s server does not compose it.',
    why: ['It says: {why}.', 'It gives no reason.'],
    now: 'Check balance, asset and address, or let this wallet compose the transaction itself.',
  },
  'holder-frozen': {
    what: 'You have frozen this holder.',
    why: 'This wallet pays an address that you froze nothing more of that asset.',
    now: 'Thaw the holder on the page of the asset, or pay somebody else.',
  },
  'bad-row': {
    what: 'A row of the list cannot be used.',
    why: ['Row {row}: {why}.', 'One of the rows has a mistake.'],
    now: 'Correct the list and load it again.',
  },
  'bad-draft': {
    what: 'This draft cannot be read.',
    why: 'It is no complete PSBT or PSET, or it is damaged.',
    now: 'Export it again where it was made.',
  },
  'draft-lies': {
    what: 'This draft does not tell the truth.',
    why: 'An amount, an output or the fee is not what it says.',
    now: 'Do not sign it. Ask where it came from.',
  },
  'draft-expired': {
    what: 'This draft is no longer valid.',
    why: 'It was changed, used, discarded or left too long.',
    now: 'Plan it again.',
  },
  'review-mismatch': {
    what: 'What is to be signed is not what you reviewed.',
    why: 'The draft changed after you looked at it.',
    now: 'Nothing was signed. Review it again.',
  },
  'nothing-to-sign': {
    what: 'This draft spends nothing of yours.',
    why: 'None of its coins belongs to this wallet.',
    now: 'Open it in the wallet that holds the coins.',
  },
  'not-replaceable': {
    what: 'This transaction cannot be replaced.',
    why: 'It is confirmed, final, or not yours.',
    now: 'Wait, or pay for it with a child.',
  },
  'peg-paused': {
    what: 'The bridge is paused.',
    why: 'The federation has stopped paying, or there is evidence that it has.',
    now: 'Your coins stay where they are. Watch the Bridge page.',
  },
  'halted': {
    what: 'This network is stopped.',
    why: 'A block failed a check, so the app does not follow it.',
    now: 'Keep the evidence. The app resumes when a valid block replaces it.',
  },
  'not-synced': {
    what: 'The app has not caught up yet.',
    why: 'Until it has, the federation script cannot be trusted.',
    now: 'Wait until the network is up to date.',
  },
  'peg-out-destination': {
    what: 'The federation does not pay to such an address.',
    why: 'Its rules allow only some kinds of addresses.',
    now: 'Use another Bitcoin address, or one of this wallet.',
  },
  'point-of-no-return': {
    what: 'It is too late to stop this.',
    why: 'The transaction is already sent.',
    now: 'Bump it, or wait for it to finish.',
  },
  'peg-in-expired': {
    what: 'The deposit script is about to expire.',
    why: 'The federation script changes, and a deposit to the old one may be lost.',
    now: 'Start a new peg-in.',
  },
  'expired': {
    what: 'Its time is over.',
    why: 'It names a time or a block after which it must not be used, and that has passed.',
    now: 'Ask for a new one.',
  },
  'not-ready': {
    what: 'It cannot be used yet.',
    why: 'A transaction still waits for confirmations, or the other side has not answered.',
    now: 'Wait, and try again.',
  },
  'amount-needed': {
    what: 'The request to pay names no amount.',
    why: 'The receiver leaves it to you.',
    now: 'Type the amount.',
  },
  'bad-invoice': {
    what: 'The request to pay cannot be used.',
    why: 'It is damaged, or asks for something that this app cannot do.',
    now: 'Ask the receiver for a new one.',
  },
  'stake-amount': {
    what: 'This amount cannot be staked.',
    why: ['A stake is from {least} to {most}.', 'The network takes stakes of other sizes.'],
    now: 'Choose another amount.',
  },
  'stake-term': {
    what: 'This term cannot be staked for.',
    why: ['A stake is for {least} to {most} blocks.', 'The network takes stakes of other terms.'],
    now: 'Choose another term.',
  },
  'stake-params': {
    what: 'The staking rules have changed.',
    why: 'They are not those under which this stake was planned.',
    now: 'Nothing was signed. Plan the stake again.',
  },
  'stake-provider': {
    what: 'This finality provider cannot take the stake.',
    why: 'It is not active, or not the one the stake must keep.',
    now: 'Choose another finality provider.',
  },
  'covenant-missing': {
    what: 'The committee has not signed yet.',
    why: ['{have} of {need} members have signed.', 'Some members have still to sign.'],
    now: 'Wait. The stake is sent only when leaving it is certain.',
  },
  'bad-delegation': {
    what: 'This stake is not registered as it should be.',
    why: 'A transaction or a signature does not hold under our own checks.',
    now: 'Nothing was sent. Your coins are where they were.',
  },
  'not-extendable': {
    what: 'This stake cannot be extended that way.',
    why: 'Key, finality provider and committee must be kept, and the amount must not shrink.',
    now: 'Plan the extension again, or withdraw and stake anew.',
  },
  'bad-exit-package': {
    what: 'The way out that is stored for this stake cannot be read.',
    why: 'The file is damaged, or a later version wrote it.',
    now: 'Use another backup, or a newer version of this app.',
  },
  'vote-unsafe': {
    what: 'This vote was not signed.',
    why: ['At height {height} another vote may exist, and two votes give the key away.', 'Another vote may exist, and two votes give the key away.'],
    now: 'Nothing to do. Make sure that only one copy of this key runs.',
  },
  'trust-expired': {
    what: 'The staking network was out of sight for too long.',
    why: 'Its validators may have changed since, so what it says cannot be verified from here.',
    now: 'Let the app start again from a checkpoint on Bitcoin.',
  },
  'control-plane-forked': {
    what: 'Nodes show different staking networks.',
    why: ['At height {height} they show different blocks.', 'They show different blocks at one height.'],
    now: 'The app believes neither. Leaving a stake works without them.',
  },
  'no-peers': {
    what: 'No peer answers.',
    why: 'The network may be down, or the addresses are wrong.',
    now: 'Check the connection and the peers in Settings.',
  },
  'bad-peer': {
    what: 'A peer sent something invalid.',
    why: ['The peer {peer} lied, stalled or sent garbage.', 'It lied, stalled or sent garbage.'],
    now: 'The app has dropped it and uses the others.',
  },
  'wrong-genesis': {
    what: 'The peer is on another chain.',
    why: 'Its first block is not the one of this network.',
    now: 'Use a peer of this network.',
  },
  'bad-header': {
    what: 'A block header fails a rule.',
    why: ['The header at height {height} is not valid.', 'It is not valid under the rules of the chain.'],
    now: 'The app does not follow it. Keep the evidence.',
  },
  'signed-twice': {
    what: 'The federation signed two blocks of one height.',
    why: ['The blocks are at height {height}. Members who do this may undo what you were paid.', 'Members who do this may undo what you were paid.'],
    now: 'The app uses this network no further. Keep the evidence and show it to others.',
  },
  'bad-proof': {
    what: 'A confidential proof is invalid.',
    why: 'The block is signed, but money may have been created from nothing.',
    now: 'The app does not follow that block. Keep the evidence.',
  },
  'not-accepted': {
    what: 'The peers did not accept the transaction.',
    why: 'It may conflict with another one or pay too little.',
    now: 'Check the fee and the coins, then try again.',
  },
  'bug': {
    what: 'Something in the app went wrong.',
    why: 'This is a fault of the app, and a report was written.',
    now: 'Nothing was half done. Try again, or start the app again.',
  },
};
