import type { FailureWords } from './failure';

/** What happened, why, and what to do now. A pair holds the sentence with its figures and the one without. */
export const failuresZhHant: FailureWords = {
  'locked': {
    what: '錢包已鎖定。',
    why: '輸入密碼之前，金鑰保持關閉。',
    now: '請解鎖後重試。',
  },
  'wrong-password': {
    what: '密碼無法開啟此錢包。',
    why: '每次輸錯，下次等待的時間都會更長。',
    now: ['請在 {wait_seconds}後重試。', '請檢查鍵盤佈局後重試。'],
  },
  'too-many-tries': {
    what: '密碼錯誤次數過多。',
    why: '等待可防止他人猜測密碼。',
    now: ['請在 {wait_seconds}後重試。', '請稍後重試。'],
  },
  'weak-password': {
    what: '密碼太短。',
    why: ['至少需要 {least} 個字元。', '短密碼容易被猜到。'],
    now: '請選擇更長的密碼；一句話便於記憶。',
  },
  'bad-words': {
    what: '這些助記詞無效。',
    why: ['第 {position} 個詞不在詞表中。', '最後一個詞與其餘不符，說明有詞錯誤或順序不對。'],
    now: '請逐詞與紙上核對。',
  },
  'words-do-not-match': {
    what: '輸入的詞與顯示的不一致。',
    why: ['第 {position} 個詞不同。', '其中一個詞不同。'],
    now: '請查看紙上的記錄並重新輸入。',
  },
  'bad-descriptor': {
    what: '描述符無法使用。',
    why: '無法讀取，或屬於其他網路。',
    now: '請貼上完整的描述符及其校驗和。',
  },
  'profile-in-use': {
    what: '另一個視窗已開啟此配置。',
    why: '兩個程式同時寫入會損壞錢包。',
    now: '請使用已開啟的視窗，或先將其關閉。',
  },
  'wrong-realm': {
    what: '此配置屬於其他網路。',
    why: ['它是為 {profile} 建立的，而應用以 {realm} 啟動。', '它是為其他鏈建立的。'],
    now: '請使用屬於此網路的配置啟動應用。',
  },
  'bad-realm': {
    what: '網路檔案無法使用。',
    why: ['欄位 {field} 缺失或與其他欄位矛盾。', '有欄位缺失或互相矛盾。'],
    now: '請修正檔案後重新啟動。',
  },
  'unknown-wallet': {
    what: '此處沒有該錢包。',
    why: '它可能已從本機移除。',
    now: '請在設定中選擇錢包，或用助記詞恢復。',
  },
  'watch-only': {
    what: '此錢包僅供查看。',
    why: '其金鑰不在本機。',
    now: '請匯出草稿並在持有金鑰處簽名。',
  },
  'bad-vault': {
    what: '此錢包的金鑰檔案已損壞。',
    why: '無法讀取，或其保護強度低於要求。',
    now: '請用助記詞恢復錢包。',
  },
  'disk-full': {
    what: '磁碟已滿。',
    why: '未儲存的內容不會發出，因此操作未執行。',
    now: '請騰出空間後重試。',
  },
  'disk-failed': {
    what: '無法寫入磁碟。',
    why: '未儲存的內容不會發出，因此操作未執行。',
    now: '請檢查磁碟與許可權後重試。',
  },
  'unknown-command': {
    what: '應用不認識此請求。',
    why: '視窗與程式的版本不同。',
    now: '請重新安裝應用。',
  },
  'bad-request': {
    what: '請求無法讀取。',
    why: ['欄位 {field} 缺失或格式錯誤。', '有欄位缺失或格式錯誤。'],
    now: '請檢查輸入後重試。',
  },
  'not-found': {
    what: '此內容已不存在。',
    why: '可能已被移除、替換，或本錢包從未見過。',
    now: '請返回查看列表。',
  },
  'not-offered': {
    what: '此網路不提供該功能。',
    why: '只有沙盒才有測試幣與即時出塊。',
    now: '請改用其他方式，或啟動沙盒。',
  },
  'bad-address': {
    what: '這不是有效地址。',
    why: '地址損壞或不完整：校驗和不符。',
    now: '請重新複製完整地址。',
  },
  'wrong-network': {
    what: '其他網路的地址。',
    why: ['它屬於 {found}；此錢包位於 {wanted}。', '發往該處的資金不會到達。'],
    now: '請索取此網路的地址。',
  },
  'bitcoin-address': {
    what: '比特幣地址。',
    why: '此處在側鏈上付款。',
    now: '請改用錨出。',
  },
  'sidechain-address': {
    what: '側鏈地址。',
    why: '此處在比特幣上付款。',
    now: '請改用錨入。',
  },
  'explicit-address': {
    what: '未盲化的地址。',
    why: '所有人都會看到金額與資產。',
    now: '請索取機密地址，或允許使用此地址。',
  },
  'bad-amount': {
    what: '金額無效。',
    why: ['必須大於零，且最多 {precision} 位小數。', '必須是大於零的數字。'],
    now: '請重新輸入，小數用點分隔。',
  },
  'dust': {
    what: '金額太小，無法傳送。',
    why: ['節點轉發的最小輸出為 {least}。', '節點不轉發這麼小的輸出。'],
    now: '請增加金額，或併入更大的付款。',
  },
  'above-supply': {
    what: '金額超過可能存在的總量。',
    why: ['總量最多為 {most}。', '不會有這麼多。'],
    now: '請檢查小數點。',
  },
  'insufficient-funds': {
    what: '可花費的餘額不足。',
    why: ['可用 {available}，需要 {needed}。', '凍結與待確認的幣不計入。'],
    now: '請減少金額，或先收款。',
  },
  'insufficient-fee': {
    what: '無法支付手續費。',
    why: ['付款額足夠，但連同手續費需要 {needed}，現有 {available}。', '付款額足夠，但沒有餘額支付手續費。'],
    now: '請降低金額或費率，或選擇全部傳送。',
  },
  'fee-too-high': {
    what: '手續費佔比過高。',
    why: ['手續費為付款的 {percent} %，上限為 {limit} %。', '超過您設定的上限。'],
    now: '請降低費率，或在設定中提高上限。',
  },
  'fee-too-low': {
    what: '費率過低。',
    why: ['節點轉發的最低費率為 {least}。', '節點不會轉發該交易。'],
    now: '請選擇更高的費率。',
  },
  'coin-unavailable': {
    what: '所選的幣無法花費。',
    why: '它已凍結、被預留、已花費或不屬於您。',
    now: '請選擇其他幣。',
  },
  'no-recipients': {
    what: '沒有收款人。',
    why: '付款至少需要一個收款人。',
    now: '請貼上地址。',
  },
  'unknown-asset': {
    what: '此錢包不認識該資產。',
    why: '從未持有，也沒有其合約。',
    now: '請匯入合約，或檢查資產 id。',
  },
  'no-token': {
    what: '此處沒有增發代幣。',
    why: '只有持有代幣的錢包才能增發。',
    now: '請先接收該代幣。',
  },
  'bad-contract': {
    what: '合約不符合規定。',
    why: ['欄位 {field} 的格式不符合標準。', '有欄位的格式不符合標準。'],
    now: '請修改後重試。',
  },
  'holds-assets': {
    what: '這枚幣帶有資產。',
    why: '把它當作比特幣花費會銷毀這些資產。',
    now: '請選擇其他幣，或改為傳送資產。',
  },
  'colour-unknown': {
    what: '這枚幣帶有什麼尚不確定。',
    why: ['這枚幣已凍結：{why}。', '在歷史查明之前，這枚幣保持凍結。'],
    now: '請等待其歷史，或在解凍前查看原因。',
  },
  'wrong-colouring': {
    what: '這筆交易不會按您的要求執行。',
    why: ['它對資產的處理不同：{why}。', '它對資產的處理與要求不同。'],
    now: '沒有簽名。請重新規劃。',
  },
  'bad-row': {
    what: '清單中有一列無法使用。',
    why: ['第 {row} 列：{why}。', '其中一列有錯誤。'],
    now: '請更正清單後重新載入。',
  },
  'bad-draft': {
    what: '無法讀取此草稿。',
    why: '它不是完整的 PSBT 或 PSET，或已損壞。',
    now: '請在生成處重新匯出。',
  },
  'draft-lies': {
    what: '此草稿與事實不符。',
    why: '其金額、輸出或手續費與聲稱的不同。',
    now: '請勿簽名，並詢問其來源。',
  },
  'draft-expired': {
    what: '此草稿已失效。',
    why: '它已被更改、使用、丟棄或擱置過久。',
    now: '請重新規劃。',
  },
  'review-mismatch': {
    what: '待籤內容與您複核的不同。',
    why: '草稿在您查看之後發生了變化。',
    now: '未簽名。請重新複核。',
  },
  'nothing-to-sign': {
    what: '此草稿不花費您的資金。',
    why: '其中沒有屬於本錢包的幣。',
    now: '請在持有這些幣的錢包中開啟。',
  },
  'not-replaceable': {
    what: '此交易無法替換。',
    why: '它已確認、不可替換，或不屬於您。',
    now: '請等待，或用子交易加速。',
  },
  'peg-paused': {
    what: '橋已暫停。',
    why: '聯盟已停止付款，或有證據表明如此。',
    now: '您的資金保持原狀。請關注橋頁面。',
  },
  'halted': {
    what: '此網路已停止。',
    why: '有區塊未透過檢查，因此應用不採用它。',
    now: '請儲存證據。有效區塊取代後應用會恢復。',
  },
  'not-synced': {
    what: '應用尚未同步完成。',
    why: '在此之前不能信任聯盟腳本。',
    now: '請等待網路更新到最新。',
  },
  'peg-out-destination': {
    what: '聯盟不向此類地址付款。',
    why: '其規則只允許部分地址型別。',
    now: '請使用其他比特幣地址，或本錢包的地址。',
  },
  'point-of-no-return': {
    what: '已來不及停止。',
    why: '交易已經發出。',
    now: '請加速，或等待完成。',
  },
  'peg-in-expired': {
    what: '存入腳本即將過期。',
    why: '聯盟腳本會更換，存入舊腳本的資金可能丟失。',
    now: '請重新開始錨入。',
  },
  'expired': {
    what: '有效期已過。',
    why: '它寫明了截止時間或區塊，過後不得使用，現已超過。',
    now: '請索取新的。',
  },
  'not-ready': {
    what: '現在還不能使用。',
    why: '仍有交易等待確認，或對方尚未應答。',
    now: '請稍候再試。',
  },
  'amount-needed': {
    what: '收款請求沒有寫明金額。',
    why: '收款人讓您自行決定。',
    now: '請輸入金額。',
  },
  'bad-invoice': {
    what: '此收款請求無法使用。',
    why: '內容已損壞，或要求本應用做不到的事。',
    now: '請向收款人索取新的請求。',
  },
  'no-peers': {
    what: '沒有節點應答。',
    why: '網路可能中斷，或節點地址有誤。',
    now: '請檢查連線及設定中的節點。',
  },
  'bad-peer': {
    what: '有節點發來無效內容。',
    why: ['節點 {peer} 說謊、停滯或傳送了垃圾資料。', '它說謊、停滯或傳送了垃圾資料。'],
    now: '應用已斷開該節點並改用其他節點。',
  },
  'wrong-genesis': {
    what: '該節點位於其他鏈上。',
    why: '其首個區塊與此網路不同。',
    now: '請使用此網路的節點。',
  },
  'bad-header': {
    what: '有區塊頭違反規則。',
    why: ['高度 {height} 的區塊頭無效。', '按該鏈規則無效。'],
    now: '應用不採用它。請儲存證據。',
  },
  'bad-proof': {
    what: '有機密證明無效。',
    why: '該區塊已簽名，但可能有資金被憑空創造。',
    now: '應用不採用該區塊。請儲存證據。',
  },
  'not-accepted': {
    what: '節點未接受該交易。',
    why: '它可能與其他交易衝突，或手續費過低。',
    now: '請檢查手續費與所用的幣後重試。',
  },
  'bug': {
    what: '應用內部出錯。',
    why: '這是應用的缺陷，已寫入報告。',
    now: '沒有任何操作只做一半。請重試，或重新啟動應用。',
  },
};
