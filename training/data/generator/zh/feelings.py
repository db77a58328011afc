# ruff: noqa: E501 - lists of words and templates read better one a line
"""Feelings in words, as in reviews and messages: the only texts that teach Chinese sentiment.

Clauses of one feeling side by side, of things, services, stays and books; concessions, in which the
clause after 但是 decides; negations that turn a judgement over; facts without a feeling.
"""

import random
from typing import Final

from training.data.generator.grammar import expand
from training.data.generator.zh.lexicon import PRODUCTS

# subject: what is good about it: what is bad about it
_ASPECTS: Final = """
质量,品质,质感: 好,不错,过硬,没得说,很棒,杠杠的,有保证,超出预期,对得起这个价: 差,太差,不行,堪忧,很烂,不敢恭维,太次了,没法看,跟地摊货一样,不如以前
做工,走线,工艺,细节: 精细,很好,精致,扎实,没有线头,到位: 粗糙,很差,太糙,线头一大堆,有瑕疵,马虎,一塌糊涂
物流,快递,发货,送货: 快,很快,神速,给力,第二天就到了,及时,效率高: 慢,太慢,慢得要死,龟速,等了半个月,拖了好几天,不给送上楼,暴力运输
包装: 精美,完好,严实,很用心,仔细,高大上: 破了,很差,简陋,压坏了,漏了,像二手的,就一个塑料袋
客服,店家,卖家,老板,售后: 态度好,很热情,耐心,有问必答,很负责,回复快,解决问题很快: 态度差,爱理不理,不回消息,推卸责任,骂人,一问三不知,敷衍,踢皮球,装死
价格,价钱,性价比: 实惠,划算,便宜,合适,很高,公道,比超市便宜多了,比实体店低: 太贵,虚高,不值,偏高,刚买就降价,比超市还贵,坑人
味道,口感,口味: 好,很好,香,正宗,不错,很纯,很浓,好吃,赞,清香: 难吃,怪怪的,难闻,刺鼻,太冲,像香精兑的,不对,发苦,很淡,一股塑料味,恶心
面料,料子,布料,手感: 舒服,柔软,很好,舒适,亲肤,厚实,透气: 硬,扎人,很薄,透,起球,粗糙,差,掉毛,闷
颜色,色泽: 正,好看,漂亮,很正,没有色差,和图片一样,显白: 不正,难看,色差太大,掉色,发黄,和图片差太多,染得到处都是
尺码,大小,尺寸: 合适,正好,标准,刚刚好,准: 不准,偏小,偏大太多,不对,根本穿不了,发错
款式,样子,外观,版型,设计: 好看,漂亮,时尚,大方,显瘦,大气,新颖,简洁: 难看,土,老气,丑,显胖,奇怪,过时,像睡衣
屏幕,画面,显示效果: 清晰,很大,细腻,不错,看着舒服: 有坏点,漏光,模糊,有划痕,花屏,闪,发黄,碎了
电池,续航,待机: 耐用,给力,够用一天,长,持久: 不行,半天就没电,太短,发烫,充不进去,掉电快
系统,运行,速度,反应: 流畅,快,很快,稳定,不卡: 卡,慢,老死机,卡得要死,经常闪退,反应迟钝,自动重启
音质,声音,音效: 好,清晰,很棒,立体,浑厚: 杂音大,小,破音,很差,有电流声,听不清
散热,噪音控制,静音效果: 好,不错,几乎听不到,出色: 差,烫手,像拖拉机,吵死人,风扇嗡嗡响
键盘,触摸板,触屏,按键,手写: 灵敏,手感好,舒服,好用: 不灵,松动,失灵,硬,没反应,掉漆
功能: 齐全,强大,实用,多: 鸡肋,少,用不上,缺这缺那,跟宣传的不符
房间,客房: 干净,宽敞,整洁,舒适,温馨,很大,安静,很新: 小,脏,潮湿,有霉味,旧,阴暗,有蟑螂,一股烟味,没有窗户
卫生,床单,被子,毛巾,卫生间: 干净,很好,整洁,雪白: 差,脏,发黄,有头发,有污渍,下水道堵了,味道大
服务,前台,服务员,服务态度: 热情,周到,好,很到位,贴心,微笑服务,专业: 差,冷漠,态度恶劣,不专业,等了半天,傲慢,跟欠她钱一样
早餐,餐厅,饭菜: 丰富,好吃,不错,品种多,可口: 难吃,单一,凉的,没什么可吃的,简直没法吃
位置,交通,地理位置,周边: 好,方便,便利,离地铁近,闹中取静,去哪都近: 偏,难找,不方便,太远,在小巷子里,打车都打不到
隔音,空调,热水,设施,网络,电梯: 好,不错,齐全,给力,新: 差,坏了,陈旧,没有,时有时无,太老了,半夜被吵醒
内容,情节,故事,观点: 精彩,充实,有深度,感人,有趣,丰富,通俗易懂,引人入胜,有启发: 空洞,无聊,乏味,拖沓,老套,东拼西凑,不知所云,肤浅,没有新意
文笔,语言,翻译,文字: 优美,流畅,幽默,细腻,朴实: 差,生硬,别扭,错字连篇,晦涩,啰嗦,看不下去
印刷,纸张,装帧,排版: 好,清晰,精美,厚实,很好: 差,模糊,薄得透,有重影,像盗版,缺页,油墨味重
果子,水果,个头,新鲜度: 新鲜,甜,大,饱满,水分足,脆甜,均匀,没有坏的: 烂了好几个,酸,小,不新鲜,坏了一半,没味道,干瘪,发霉了,又小又涩
效果: 明显,好,不错,立竿见影,很棒,看得见: 没有,不明显,差,等于零,还不如以前,适得其反
安装,安装师傅,安装服务: 专业,快,认真,免费,很负责: 乱收费,拖了一周,不专业,态度差,要加钱,材料费贵得离谱
日期,生产日期: 新鲜,很新,近: 快过期了,不新鲜,都半年前的了,看不清
头发,皮肤: 很柔顺,滑滑的,不油了,蓬松,清爽,水润: 更油了,掉得更多,干得像草,痒,过敏了,起痘,打结
"""

_GOOD: Final = (
    "非常满意", "很满意", "超级喜欢", "很喜欢", "特别好用", "很好用", "值得购买", "值得推荐", "强烈推荐", "推荐大家购买", "物超所值", "物美价廉", "五星好评", "给个好评", "全五分",
    "会回购", "下次还来", "还会再来", "已经是第{n}次购买了", "回购{n}次了", "一直用这个牌子", "老顾客了", "家里人都说好", "老婆很喜欢", "孩子爱不释手", "妈妈穿上很开心", "爸妈用了都说好", "同事看了也要买",
    "没让我失望", "挑不出毛病", "无可挑剔", "没有一点异味", "没有任何问题", "不掉色不起球", "一点都不卡", "不后悔", "买得值", "真心不错", "相当不错", "挺好的", "蛮好的", "很不错", "棒棒哒", "太赞了", "赞一个", "顶一个",
    "比想象中好", "超出预期", "惊喜", "爱了爱了", "喜欢得不得了", "用着很顺手", "和描述的一样", "是正品", "正品无疑", "信赖", "放心", "值了", "这个价位没得挑", "好评必须给", "继续支持", "祝生意兴隆", "一如既往的好",
    "看了好几遍", "一口气读完了", "受益匪浅", "值得收藏", "让人深思", "看得热泪盈眶", "孩子每天都要看", "读起来很轻松", "写得真好", "相见恨晚",
    "住得很舒服", "下次来{city}还住这里", "睡得很香", "宾至如归", "免费升级了房间", "给朋友推荐了", "性价比超高", "很温馨", "出差首选",
    "甜到心里了", "吃了还想吃", "一箱没有一个坏的", "个个都好", "家里老人孩子都爱吃", "洗完很舒服", "头屑少了很多", "头发顺滑了", "水很热", "加热很快", "宝宝很爱喝", "很抗造", "玩游戏很流畅", "反应很快", "拍照清楚",
    "卖家人很好", "还送了小礼物", "送货上门很方便", "安装师傅很专业", "发错了马上给换了", "问题当天就解决了", "谢谢店家", "感谢卖家", "购物愉快", "省心",
)  # fmt: skip

_BAD: Final = (
    "很失望", "非常失望", "太失望了", "很不满意", "非常不满意", "不满意", "后悔买了", "后悔死了", "上当了", "被骗了", "骗人的", "假货", "是假的", "一看就是假货", "绝对不是正品", "垃圾", "真垃圾", "什么破东西", "破烂", "差评", "必须差评", "给一星都嫌多", "零分",
    "再也不买了", "再也不会来了", "不会再买", "不推荐", "大家别买", "大家千万别上当", "慎重购买", "浪费钱", "钱白花了", "白扔了", "直接扔了", "送人都没人要", "用不了", "根本不能用", "没法用", "打不开", "开不了机", "充不进电", "装不上",
    "用了{n}天就坏了", "没用几次就坏了", "穿了一次就开胶了", "洗一次就变形", "一洗就掉色", "第二天就断了", "刚到就是坏的", "收到就是碎的", "屏幕有划痕", "少了配件", "发错货了", "尺码发错", "拆开是用过的", "明显是二手的", "外壳有裂缝",
    "联系客服没人理", "客服根本不解决问题", "退货还要自己出运费", "申请退货了", "要求退款", "退了", "已退货", "投诉无门", "打了好几个电话都没用", "互相推诿", "一直说没货", "等了{n}天才发货", "催了好几次", "送货员态度恶劣",
    "没有想象中的好", "没有描述的那么好", "不是很好", "不怎么样", "一点都不好", "一点也不好用", "不好用", "不值这个价", "不如超市买的", "跟图片完全不一样", "和描述不符", "虚假宣传", "欺骗消费者", "店大欺客", "不敢用", "不敢吃", "味道怪怪的不敢用",
    "看不下去", "看了几页就扔了", "不知道在讲什么", "作者在凑字数", "完全是炒作", "名不副实", "不值得一读", "浪费时间", "买了等于白买", "像盗版书", "翻译得一塌糊涂", "看完很郁闷",
    "一晚上没睡好", "半夜被吵醒", "再也不住了", "跟招待所一样", "还不如旁边的小旅馆", "这也配叫{star}星", "被蚊子咬了一晚上", "水都不热", "连热水都没有", "退房还要等半天", "乱收费", "押金不退",
    "坏了一大半", "烂了{n}个", "都烂了", "酸得没法吃", "难吃死了", "吃了拉肚子", "孩子喝了吐", "过期了还卖", "里面有虫子", "头发越洗越油", "越用越掉头发", "头皮发痒", "用了过敏", "起了一脸痘", "漏水", "漏电", "噪音大得受不了",
    "卡得要死", "动不动就死机", "自动关机", "发热严重", "信号太差", "wifi连不上", "玩一会就发烫", "半天就没电了", "三天两头出问题", "修了{n}次了", "售后说不保修", "刚买就降了{price}", "气死我了", "无语", "坑爹", "呵呵", "真是服了", "心塞", "糟心", "恶心", "郁闷", "奇葩", "这也敢卖", "不愧是大牌,{n}天就坏",
)  # fmt: skip

_PLAIN: Final = (
    "还行", "一般", "一般般", "还可以", "马马虎虎", "凑合", "中规中矩", "没什么感觉", "不好不坏", "就那样吧", "能用", "普通", "刚收到还没用", "用一段时间再来评价", "给别人买的不知道怎么样", "默认好评", "还没试", "先看看再说", "对得起价格吧", "没什么特别的",
    "{date}买的", "{date}到的", "用{kuaidi}发的", "买的是{color}的", "拍的{size}", "身高170体重130斤买的l码", "放在客厅用", "给家里换的", "一共买了{n}件", "这是第一次买", "公司订的", "住了{n}天", "在{city}出差住的", "看了一半", "作者是日本人", "全书一共{n}章",
    "说明书在盒子里", "插上电就能用", "需要自己安装", "是充电的", "屏幕是{n}寸的", "内存8g", "外壳是塑料的", "有{n}个颜色可以选", "产地是{city}", "保质期一年", "净含量500克", "早餐七点到十点", "酒店在火车站旁边", "到机场打车半小时",
    "请问什么时候发货", "有没有大一号的", "能开发票吗", "怎么用", "想问下多少钱", "这款和那款有什么区别", "什么时候有活动", "帮我查一下快递", "我要买{h}", "想看看{h}", "找{h}", "{h}多少钱", "{h}有货吗", "下周要用", "周末去看了", "明天上班", "我在{city}", "今天星期三", "会议改到下午了", "票已经订好了", "快递放驿站了",
)  # fmt: skip

_INTENSE: Final = (
    "",
    "",
    "",
    "很",
    "非常",
    "特别",
    "真的",
    "真的很",
    "挺",
    "超",
    "超级",
    "相当",
    "太",
    "实在是",
    "确实",
    "蛮",
    "简直",
)
_OPENINGS: Final = (
    "", "", "", "", "", "{h}收到了,", "东西收到了,", "宝贝收到,", "用了几天,", "用了一段时间来评价,", "买了{n}个月了,", "{date}买的,", "给老妈买的,", "第一次在这家买,", "看评价买的,", "朋友推荐的,", "双十一买的,", "到手试了一下,", "总体来说,", "怎么说呢,", "说实话,", "刚拆开,", "在{city}住的,",
    "入住{n}晚,", "这本书", "这家店", "这个{h}", "这款{h}", "家里的{h}坏了买的,", "等了{n}天终于到了,", "看完了,", "亲们,", "哎,", "老公买的,", "给孩子买的,", "客户要求订的酒店,",
)  # fmt: skip
_BUT: Final = (",但是", ",但", ",不过", ",可是", ",就是", ",可惜", ";但是", ",只是")
_STRONG_BUT: Final = (",但是", ",但", ",不过", ";但", ",可")
_JOINTS: Final = (
    ",",
    ",",
    ",",
    "。",
    ",而且",
    " ",
    "!",
    ",还",
    "、",
    ",关键是",
    ",再加上",
    ";",
    "...",
    ",主要是",
)
_ENDS: Final = (
    "",
    "",
    "",
    "",
    "。",
    "!",
    "!!",
    "~",
    "...",
    "!!!",
    "哦",
    "啊",
    "吧",
    "呢",
    "👍",
    "👎",
    "。。。",
)
_GLAD_ENDS: Final = frozenset({"👍", "~"})
_SAD_ENDS: Final = frozenset({"👎"})
_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "n": ("两", "三", "3", "5", "四", "2", "一", "十", "6", "八"),
    "city": (
        "北京",
        "上海",
        "广州",
        "深圳",
        "杭州",
        "成都",
        "西安",
        "南京",
        "三亚",
        "厦门",
        "武汉",
        "青岛",
        "大连",
        "苏州",
        "昆明",
        "香港",
        "重庆",
    ),
    "star": ("四", "五", "三", "4", "5", "准四"),
    "price": ("200", "一百块", "50元", "三百多", "500"),
    "date": ("昨天", "上周", "上个月", "周一", "11号", "国庆", "前天", "去年", "618", "五一"),
    "kuaidi": ("顺丰", "圆通", "邮政", "京东", "韵达", "中通"),
    "color": ("黑色", "白色", "粉色", "蓝色", "灰色"),
    "size": ("m码", "l码", "xl", "42码", "大号"),
}


def _read(text: str) -> tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...]:
    rows = (line.split(": ") for line in text.strip().splitlines())
    return tuple(tuple(tuple(part.split(",")) for part in row) for row in rows)  # type: ignore[misc] # three parts a line


ASPECTS: Final = _read(_ASPECTS)


def _filled(text: str, chance: random.Random) -> str:
    def fill(slot: str) -> str:
        return chance.choice(PRODUCTS)[0] if slot == "h" else chance.choice(_VALUES[slot])

    return expand(text, chance, fill)


def _clause(good: bool, chance: random.Random) -> str:
    """One judgement: of an aspect, or as a whole."""
    if chance.random() < 0.5:
        return chance.choice(_GOOD if good else _BAD)
    subjects, praise, blame = chance.choice(ASPECTS)
    said = chance.choice(praise if good else blame)
    draw = chance.random()
    if draw < 0.1 and len(said) < 4 and not said.startswith(("不", "没", "有")):  # turned over
        plain = chance.choice(blame if good else praise)
        if len(plain) < 3 and not plain.startswith(("不", "没", "有", "很", "太")):
            return (
                chance.choice(subjects)
                + chance.choice(("不", "一点也不", "一点都不", "并不"))
                + plain
            )
    short = len(said) < 3 and not said.startswith(("很", "太", "没", "不"))
    intense = chance.choice(_INTENSE) if short else ""
    if chance.random() < 0.18:
        other = chance.choice(praise if good else blame)
        said = f"{said}{chance.choice((',', '又', ',也'))}{other}"
    return f"{chance.choice(subjects)}{chance.choice(('', '', '', '也', '都', '还是', '真是'))}{intense}{said}"


def _concession(good: bool, chance: random.Random) -> str:
    """The other feeling first; what comes after the 但是 decides."""
    first, last = _clause(not good, chance), _clause(good, chance)
    more = f",{_clause(good, chance)}" if chance.random() < 0.5 else ""
    form = chance.random()
    if form < 0.4:
        return f"虽然{first}{chance.choice(_STRONG_BUT)}{last}{more}"
    if form < 0.7:
        return f"{first}{chance.choice(_BUT)}{last}{more or ',' + _clause(good, chance)}"
    if good:
        return chance.choice(
            (
                f"除了{first},其他都很好{more}",
                f"本来担心{first},结果{last}{more}",
                f"之前看有人说{first},我觉得{last}{more}",
                f"{last}{more},就是{first},总体满意",
            )
        )
    return chance.choice(
        (
            f"除了{first}还行,其他都不行{more}",
            f"本来以为{first},结果{last}{more}",
            f"图片看着{first},实际{last}{more}",
            f"都说{first},我怎么觉得{last}{more}",
            f"{last}{more},{first}有什么用",
            f"以前{first},现在{last}{more}",
        )
    )


def feeling(chance: random.Random) -> tuple[str, str]:
    """(text, sentiment): one to six clauses."""
    sentiment = chance.choices(("negative", "neutral", "positive"), (5, 3, 5))[0]
    opening = _filled(chance.choice(_OPENINGS), chance)
    if sentiment == "neutral":
        parts = [chance.choice(_PLAIN) for _ in range(chance.choice((1, 1, 2, 2, 3)))]
        text = _filled(chance.choice((",", ",", "。", " ")).join(parts), chance)
        return opening + text + chance.choice(("", "", "。", "?", "吧")), sentiment
    good = sentiment == "positive"
    count = chance.choices((1, 2, 3, 4, 6), (5, 6, 5, 3, 2))[0]
    parts = [_clause(good, chance) for _ in range(count)]
    if chance.random() < 0.3:
        parts[chance.randrange(count)] = _concession(good, chance)
    if count > 1 and chance.random() < 0.2:
        parts.insert(0, chance.choice(_PLAIN))
    text = parts[0]
    for part in parts[1:]:
        text += chance.choice(_JOINTS) + part
    end = chance.choice([e for e in _ENDS if e not in (_SAD_ENDS if good else _GLAD_ENDS)])
    return opening + _filled(text, chance) + end, sentiment
