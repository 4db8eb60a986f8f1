import type { FailureWords } from './failure';

/** What happened, why, and what to do now. A pair holds the sentence with its figures and the one without. */
export const failuresZhHans: FailureWords = {
  'locked': {
    what: '钱包已锁定。',
    why: '输入密码之前，密钥保持关闭。',
    now: '请解锁后重试。',
  },
  'wrong-password': {
    what: '密码无法打开此钱包。',
    why: '每次输错，下次等待的时间都会更长。',
    now: ['请在 {wait_seconds}后重试。', '请检查键盘布局后重试。'],
  },
  'too-many-tries': {
    what: '密码错误次数过多。',
    why: '等待可防止他人猜测密码。',
    now: ['请在 {wait_seconds}后重试。', '请稍后重试。'],
  },
  'weak-password': {
    what: '密码太短。',
    why: ['至少需要 {least} 个字符。', '短密码容易被猜到。'],
    now: '请选择更长的密码；一句话便于记忆。',
  },
  'bad-words': {
    what: '这些助记词无效。',
    why: ['第 {position} 个词不在词表中。', '最后一个词与其余不符，说明有词错误或顺序不对。'],
    now: '请逐词与纸上核对。',
  },
  'words-do-not-match': {
    what: '输入的词与显示的不一致。',
    why: ['第 {position} 个词不同。', '其中一个词不同。'],
    now: '请查看纸上的记录并重新输入。',
  },
  'bad-descriptor': {
    what: '描述符无法使用。',
    why: '无法读取，或属于其他网络。',
    now: '请粘贴完整的描述符及其校验和。',
  },
  'profile-in-use': {
    what: '另一个窗口已打开此配置。',
    why: '两个程序同时写入会损坏钱包。',
    now: '请使用已打开的窗口，或先将其关闭。',
  },
  'wrong-realm': {
    what: '此配置属于其他网络。',
    why: ['它是为 {profile} 创建的，而应用以 {realm} 启动。', '它是为其他链创建的。'],
    now: '请使用属于此网络的配置启动应用。',
  },
  'bad-realm': {
    what: '网络文件无法使用。',
    why: ['字段 {field} 缺失或与其他字段矛盾。', '有字段缺失或互相矛盾。'],
    now: '请修正文件后重新启动。',
  },
  'unknown-wallet': {
    what: '此处没有该钱包。',
    why: '它可能已从本机移除。',
    now: '请在设置中选择钱包，或用助记词恢复。',
  },
  'watch-only': {
    what: '此钱包仅供查看。',
    why: '其密钥不在本机。',
    now: '请导出草稿并在持有密钥处签名。',
  },
  'bad-vault': {
    what: '此钱包的密钥文件已损坏。',
    why: '无法读取，或其保护强度低于要求。',
    now: '请用助记词恢复钱包。',
  },
  'disk-full': {
    what: '磁盘已满。',
    why: '未保存的内容不会发出，因此操作未执行。',
    now: '请腾出空间后重试。',
  },
  'disk-failed': {
    what: '无法写入磁盘。',
    why: '未保存的内容不会发出，因此操作未执行。',
    now: '请检查磁盘与权限后重试。',
  },
  'unknown-command': {
    what: '应用不认识此请求。',
    why: '窗口与程序的版本不同。',
    now: '请重新安装应用。',
  },
  'bad-request': {
    what: '请求无法读取。',
    why: ['字段 {field} 缺失或格式错误。', '有字段缺失或格式错误。'],
    now: '请检查输入后重试。',
  },
  'not-found': {
    what: '此内容已不存在。',
    why: '可能已被移除、替换，或本钱包从未见过。',
    now: '请返回查看列表。',
  },
  'not-offered': {
    what: '此网络不提供该功能。',
    why: '只有沙盒才有测试币与即时出块。',
    now: '请改用其他方式，或启动沙盒。',
  },
  'bad-address': {
    what: '这不是有效地址。',
    why: '地址损坏或不完整：校验和不符。',
    now: '请重新复制完整地址。',
  },
  'wrong-network': {
    what: '其他网络的地址。',
    why: ['它属于 {found}；此钱包位于 {wanted}。', '发往该处的资金不会到达。'],
    now: '请索取此网络的地址。',
  },
  'bitcoin-address': {
    what: '比特币地址。',
    why: '此处在侧链上付款。',
    now: '请改用锚出。',
  },
  'sidechain-address': {
    what: '侧链地址。',
    why: '此处在比特币上付款。',
    now: '请改用锚入。',
  },
  'explicit-address': {
    what: '未盲化的地址。',
    why: '所有人都会看到金额与资产。',
    now: '请索取机密地址，或允许使用此地址。',
  },
  'bad-amount': {
    what: '金额无效。',
    why: ['必须大于零，且最多 {precision} 位小数。', '必须是大于零的数字。'],
    now: '请重新输入，小数用点分隔。',
  },
  'dust': {
    what: '金额太小，无法发送。',
    why: ['节点转发的最小输出为 {least}。', '节点不转发这么小的输出。'],
    now: '请增加金额，或并入更大的付款。',
  },
  'above-supply': {
    what: '金额超过可能存在的总量。',
    why: ['总量最多为 {most}。', '不会有这么多。'],
    now: '请检查小数点。',
  },
  'insufficient-funds': {
    what: '可花费的余额不足。',
    why: ['可用 {available}，需要 {needed}。', '冻结与待确认的币不计入。'],
    now: '请减少金额，或先收款。',
  },
  'insufficient-fee': {
    what: '无法支付手续费。',
    why: ['付款额足够，但连同手续费需要 {needed}，现有 {available}。', '付款额足够，但没有余额支付手续费。'],
    now: '请降低金额或费率，或选择全部发送。',
  },
  'fee-too-high': {
    what: '手续费占比过高。',
    why: ['手续费为付款的 {percent} %，上限为 {limit} %。', '超过您设置的上限。'],
    now: '请降低费率，或在设置中提高上限。',
  },
  'fee-too-low': {
    what: '费率过低。',
    why: ['节点转发的最低费率为 {least}。', '节点不会转发该交易。'],
    now: '请选择更高的费率。',
  },
  'coin-unavailable': {
    what: '所选的币无法花费。',
    why: '它已冻结、被预留、已花费或不属于您。',
    now: '请选择其他币。',
  },
  'no-recipients': {
    what: '没有收款人。',
    why: '付款至少需要一个收款人。',
    now: '请粘贴地址。',
  },
  'unknown-asset': {
    what: '此钱包不认识该资产。',
    why: '从未持有，也没有其合约。',
    now: '请导入合约，或检查资产 id。',
  },
  'no-token': {
    what: '此处没有增发代币。',
    why: '只有持有代币的钱包才能增发。',
    now: '请先接收该代币。',
  },
  'bad-contract': {
    what: '合约不符合规定。',
    why: ['字段 {field} 的格式不符合标准。', '有字段的格式不符合标准。'],
    now: '请修改后重试。',
  },
  'holds-assets': {
    what: '这枚币带有资产。',
    why: '把它当作比特币花费会销毁这些资产。',
    now: '请选择其他币，或改为发送资产。',
  },
  'colour-unknown': {
    what: '这枚币带有什么尚不确定。',
    why: ['这枚币已冻结：{why}。', '在历史查明之前，这枚币保持冻结。'],
    now: '请等待其历史，或在解冻前查看原因。',
  },
  'wrong-colouring': {
    what: '这笔交易不会按您的要求执行。',
    why: ['它对资产的处理不同：{why}。', '它对资产的处理与要求不同。'],
    now: '没有签名。请重新规划。',
  },
  'bad-row': {
    what: '列表中有一行无法使用。',
    why: ['第 {row} 行：{why}。', '其中一行有错误。'],
    now: '请更正列表后重新载入。',
  },
  'bad-draft': {
    what: '无法读取此草稿。',
    why: '它不是完整的 PSBT 或 PSET，或已损坏。',
    now: '请在生成处重新导出。',
  },
  'draft-lies': {
    what: '此草稿与事实不符。',
    why: '其金额、输出或手续费与声称的不同。',
    now: '请勿签名，并询问其来源。',
  },
  'draft-expired': {
    what: '此草稿已失效。',
    why: '它已被更改、使用、丢弃或搁置过久。',
    now: '请重新规划。',
  },
  'review-mismatch': {
    what: '待签内容与您复核的不同。',
    why: '草稿在您查看之后发生了变化。',
    now: '未签名。请重新复核。',
  },
  'nothing-to-sign': {
    what: '此草稿不花费您的资金。',
    why: '其中没有属于本钱包的币。',
    now: '请在持有这些币的钱包中打开。',
  },
  'not-replaceable': {
    what: '此交易无法替换。',
    why: '它已确认、不可替换，或不属于您。',
    now: '请等待，或用子交易加速。',
  },
  'peg-paused': {
    what: '桥已暂停。',
    why: '联盟已停止付款，或有证据表明如此。',
    now: '您的资金保持原状。请关注桥页面。',
  },
  'halted': {
    what: '此网络已停止。',
    why: '有区块未通过检查，因此应用不采用它。',
    now: '请保存证据。有效区块取代后应用会恢复。',
  },
  'not-synced': {
    what: '应用尚未同步完成。',
    why: '在此之前不能信任联盟脚本。',
    now: '请等待网络更新到最新。',
  },
  'peg-out-destination': {
    what: '联盟不向此类地址付款。',
    why: '其规则只允许部分地址类型。',
    now: '请使用其他比特币地址，或本钱包的地址。',
  },
  'point-of-no-return': {
    what: '已来不及停止。',
    why: '交易已经发出。',
    now: '请加速，或等待完成。',
  },
  'peg-in-expired': {
    what: '存入脚本即将过期。',
    why: '联盟脚本会更换，存入旧脚本的资金可能丢失。',
    now: '请重新开始锚入。',
  },
  'expired': {
    what: '有效期已过。',
    why: '它写明了截止时间或区块，过后不得使用，现已超过。',
    now: '请索取新的。',
  },
  'not-ready': {
    what: '现在还不能使用。',
    why: '仍有交易等待确认，或对方尚未应答。',
    now: '请稍候再试。',
  },
  'amount-needed': {
    what: '收款请求没有写明金额。',
    why: '收款人让您自行决定。',
    now: '请输入金额。',
  },
  'bad-invoice': {
    what: '此收款请求无法使用。',
    why: '内容已损坏，或要求本应用做不到的事。',
    now: '请向收款人索取新的请求。',
  },
  'no-peers': {
    what: '没有节点应答。',
    why: '网络可能中断，或节点地址有误。',
    now: '请检查连接及设置中的节点。',
  },
  'bad-peer': {
    what: '有节点发来无效内容。',
    why: ['节点 {peer} 说谎、停滞或发送了垃圾数据。', '它说谎、停滞或发送了垃圾数据。'],
    now: '应用已断开该节点并改用其他节点。',
  },
  'wrong-genesis': {
    what: '该节点位于其他链上。',
    why: '其首个区块与此网络不同。',
    now: '请使用此网络的节点。',
  },
  'bad-header': {
    what: '有区块头违反规则。',
    why: ['高度 {height} 的区块头无效。', '按该链规则无效。'],
    now: '应用不采用它。请保存证据。',
  },
  'bad-proof': {
    what: '有机密证明无效。',
    why: '该区块已签名，但可能有资金被凭空创造。',
    now: '应用不采用该区块。请保存证据。',
  },
  'not-accepted': {
    what: '节点未接受该交易。',
    why: '它可能与其他交易冲突，或手续费过低。',
    now: '请检查手续费与所用的币后重试。',
  },
  'bug': {
    what: '应用内部出错。',
    why: '这是应用的缺陷，已写入报告。',
    now: '没有任何操作只做一半。请重试，或重新启动应用。',
  },
};
