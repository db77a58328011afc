# ruff: noqa: E501 - lists of characters read better one kind a line
"""How people write: homophones, traditional characters, particles, no punctuation. Labels stay."""

import random
from dataclasses import replace
from typing import Final

from training.data.examples import Example

_SOUND_ALIKE: Final = """
的得地 在再 吗嘛么 那哪 做作坐 他她它 已以 有又 到道倒 买卖 带戴袋 包保宝饱 壳克 机鸡 充冲 电店 线现 钟种 双霜 鞋写 退腿 货或 款宽 订定 单丹 查察 询寻 快块 递第 物务 流留 号好 发法 票漂 优幽 惠会 券劝 账帐 户护 密秘 码马吗 登灯 录路 客克 服付 投头 诉述 差叉 评平 地底 址止 改该 修休
换欢 取曲 消销 支只 付服 信新 微维 付副 货火 品拼 质制 量两 尺吃 寸村 颜言 色涩 红洪 蓝篮 黑嘿 白百 绿率 粉份 紫子 男南 女旅 童同 婴英 儿而 衣一 裤库 裙群 衫山 帽冒 袜瓦 手首 表标 链连 戒借 指纸 项向 环还 杯背 壶湖 锅过 碗晚 盘攀 刀到 叉查 筷快 桌卓 椅以 沙莎 发法 床创 被背 枕真 灯登 窗床 帘连 毯坦
耳尔 声生 音因 响想 键建 盘盼 鼠属 标表 屏平 幕目 摄设 像象 头投 蓝兰 牙芽 无五 防房 水睡 静净 智只 能嫩 保宝 温文 暖软 薄博 厚后 轻青 便变 携协 式试 样羊 新心 旧就 几己 钱前 元员 价加 格隔 请情 问文 怎咋 么末 谢写 您你 好号 想像 要药 看砍 找照 帮邦 给个 送松 寄记 收手 签千 破坡 坏怀 漏楼 少烧 错措 慢漫
"""
_LIKE: Final[dict[str, str]] = {}
for _group in _SOUND_ALIKE.split():
    for _character in _group:
        _LIKE.setdefault(_character, _group.replace(_character, ""))

_SIMPLE: Final = "买卖个这们为时机电书车马鸟鱼红绿蓝黄银铁钢锅钱价货运单订发退换邮递寄给号码颜双对条裤裙衬鞋袜帽领带围巾项链镜戒饰宝贝儿婴妈爷亲爱节礼庆婚结纪纸笔盘碗杯壶灯桌凳沙箱柜帘门窗长宽窄圆厚轻软湿热凉温净洁护肤霜发乳香药医疗养鸡牛羊猪虾蟹鲜苹橙蕉糖盐酱面饭饼馆饮茶酒咖啡奶粉饲猫龟网络无线蓝连声响键屏摄录影图画贴膜壳东西里后还没过来几谁问请谢说话让客服务员态诉评优惠券积会员级账户录验证资订阅报开关单样试质量坏烂断裂丢错漏帮吗么实体现难听觉"
_OLD: Final = "買賣個這們為時機電書車馬鳥魚紅綠藍黃銀鐵鋼鍋錢價貨運單訂發退換郵遞寄給號碼顏雙對條褲裙襯鞋襪帽領帶圍巾項鏈鏡戒飾寶貝兒嬰媽爺親愛節禮慶婚結紀紙筆盤碗杯壺燈桌凳沙箱櫃簾門窗長寬窄圓厚輕軟濕熱涼溫淨潔護膚霜髮乳香藥醫療養雞牛羊豬蝦蟹鮮蘋橙蕉糖鹽醬麵飯餅館飲茶酒咖啡奶粉飼貓龜網絡無線藍連聲響鍵屏攝錄影圖畫貼膜殼東西裡後還沒過來幾誰問請謝說話讓客服務員態訴評優惠券積會員級賬戶錄驗證資訂閱報開關單樣試質量壞爛斷裂丟錯漏幫嗎麼實體現難聽覺"
_TRADITIONAL: Final = str.maketrans(_SIMPLE, _OLD)

PARTICLES: Final = (
    "啊",
    "呀",
    "呢",
    "哦",
    "哈",
    "哒",
    "吧",
    "嘛",
    "~",
    "呗",
    "哇",
    "啦",
    "咧",
    "?",
    "!",
    "??",
    "。",
    "...",
    "谢谢",
    ",急",
    ",在线等",
    ",麻烦了",
    "亲",
)
_STOPS: Final = str.maketrans(dict.fromkeys(",。!?、~;", ""))
_BLANKS: Final = str.maketrans(dict.fromkeys(",。!?、", " "))


def with_slips(example: Example, chance: random.Random, share: float = 0.12) -> Example:
    """One or two homophones in some texts, traditional characters in a few: one for one."""
    draw = chance.random()
    if draw < 0.05:
        return replace(example, text=example.text.translate(_TRADITIONAL))
    if draw > 0.05 + share:
        return example
    places = [place for place, character in enumerate(example.text) if character in _LIKE]
    characters = list(example.text)
    for place in chance.sample(places, min(len(places), 1 + (chance.random() < 0.3))):
        characters[place] = chance.choice(_LIKE[characters[place]])
    return replace(example, text="".join(characters))


def unpunctuated(text: str, chance: random.Random, share: float = 0.4) -> str:
    """Without its stops, or with blanks in their place."""
    if chance.random() > share:
        return text
    found = text.translate(_BLANKS if chance.random() < 0.5 else _STOPS)
    return found.strip() or text
