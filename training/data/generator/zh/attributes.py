# ruff: noqa: E501 - lists of words read better one kind a line
"""What is said of products: each Chinese word with its English, by entity type."""

import random
from typing import Final

_ATTRIBUTES: Final[dict[str, str]] = {
    "color": (
        "红=red,红色=red,大红=bright red,酒红色=wine red,玫红=rose red,蓝=blue,蓝色=blue,浅蓝色=light blue,天蓝=sky blue,深蓝色=dark blue,"
        "宝蓝=royal blue,藏青色=navy,绿=green,绿色=green,墨绿=dark green,军绿色=army green,薄荷绿=mint,黄色=yellow,鹅黄=light yellow,姜黄=mustard,"
        "黑=black,黑色=black,纯黑=all black,白=white,白色=white,米白=off white,米色=beige,奶白=cream,灰=grey,灰色=grey,深灰=dark grey,浅灰色=light grey,"
        "粉=pink,粉色=pink,粉红色=pink,裸粉=nude pink,紫色=purple,香芋紫=lavender,橙色=orange,橘色=orange,橘红=orange red,棕色=brown,咖啡色=coffee brown,"
        "咖色=brown,焦糖色=caramel,卡其色=khaki,卡其=khaki,驼色=camel,杏色=apricot,金色=gold,玫瑰金=rose gold,银色=silver,银=silver,古铜色=bronze,"
        "透明=transparent,彩色=multicolor,花色=patterned,撞色=contrast color,渐变色=gradient,奶茶色=milk tea color,湖蓝=lake blue,牛油果绿=avocado green,"
        "青色=cyan,豆沙色=bean paste red,原木色=natural wood color,珍珠白=pearl white,曜石黑=obsidian black"
    ),
    "material": (
        "纯棉=cotton,棉=cotton,全棉=cotton,棉麻=cotton linen,亚麻=linen,真丝=silk,蚕丝=silk,桑蚕丝=silk,丝绸=silk,羊毛=wool,羊绒=cashmere,羊皮=sheepskin,"
        "真皮=genuine leather,牛皮=cowhide leather,头层牛皮=top grain leather,皮=leather,pu皮=pu leather,仿皮=faux leather,麂皮=suede,貂毛=mink fur,兔毛=rabbit fur,"
        "毛绒=plush,绒布=velvet,丝绒=velvet,金丝绒=velvet,法兰绒=flannel,珊瑚绒=coral fleece,摇粒绒=fleece,灯芯绒=corduroy,牛仔=denim,帆布=canvas,雪纺=chiffon,蕾丝=lace,"
        "涤纶=polyester,尼龙=nylon,莫代尔=modal,冰丝=ice silk,竹纤维=bamboo fiber,鹅绒=goose down,白鸭绒=duck down,乳胶=latex,硅胶=silicone,橡胶=rubber,塑料=plastic,"
        "木=wood,木头=wooden,木质=wooden,实木=solid wood,原木=natural wood,橡木=oak,松木=pine,胡桃木=walnut,红木=rosewood,榉木=beech,竹=bamboo,竹子=bamboo,藤编=rattan,草编=straw,"
        "不锈钢=stainless steel,304不锈钢=304 stainless steel,铁=iron,铁艺=wrought iron,铸铁=cast iron,铝合金=aluminum alloy,铜=copper,黄铜=brass,钛=titanium,纯钛=titanium,"
        "玻璃=glass,钢化玻璃=tempered glass,水晶=crystal,陶瓷=ceramic,骨瓷=bone china,紫砂=purple clay,大理石=marble,岩板=sintered stone,亚克力=acrylic,"
        "金=gold,黄金=gold,纯银=sterling silver,925银=925 silver,铂金=platinum,翡翠=jade,玉=jade,和田玉=hetian jade,珍珠=pearl,玛瑙=agate,琥珀=amber,钻石=diamond,纸=paper,纸质=paper,海绵=foam,碳纤维=carbon fiber"
    ),
    "department": (
        "男=men,女=women,男士=men,女士=women,男款=men's,女款=women's,男生=boys,女生=girls,男孩=boys,女孩=girls,男童=boys,女童=girls,儿童=children,小孩=kids,宝宝=baby,婴儿=baby,"
        "新生儿=newborn,婴幼儿=infants,幼儿=toddler,孩子=kids,小朋友=children,小学生=primary school students,初中生=middle school students,学生=students,大学生=college students,成人=adults,老人=elderly,老年人=elderly,中老年=seniors,"
        "妈妈=mom,爸爸=dad,老婆=wife,老公=husband,女朋友=girlfriend,男朋友=boyfriend,女儿=daughter,儿子=son,奶奶=grandma,爷爷=grandpa,岳父=father in law,婆婆=mother in law,闺蜜=best friend,"
        "情侣=couples,孕妇=pregnant women,产妇=new mothers,青少年=teenagers,中性=unisex,狗=dogs,狗狗=dogs,猫=cats,猫咪=cats,宠物=pets,小型犬=small dogs"
    ),
    "occasion": (
        "结婚=wedding,婚礼=wedding,婚庆=wedding,订婚=engagement,生日=birthday,春节=spring festival,过年=new year,新年=new year,元旦=new year,中秋=mid autumn,中秋节=mid autumn festival,端午=dragon boat festival,元宵节=lantern festival,"
        "情人节=valentine's day,七夕=qixi,母亲节=mother's day,父亲节=father's day,圣诞=christmas,圣诞节=christmas,万圣节=halloween,儿童节=children's day,教师节=teacher's day,国庆=national day,毕业=graduation,开学=back to school,"
        "满月=baby's first month,百天=hundredth day,乔迁=housewarming,年会=annual party,聚会=party,派对=party,上班=work,通勤=commuting,面试=interview,约会=date night,旅行=travel,旅游=travel,出差=business trip,露营=camping,野餐=picnic,"
        "海边=beach,沙滩=beach,婚纱照=wedding photos,春季=spring,春天=spring,春秋=spring and autumn,夏=summer,夏天=summer,夏季=summer,秋=autumn,秋季=autumn,秋冬=autumn and winter,冬=winter,冬天=winter,冬季=winter,四季=all seasons"
    ),
    "content": (
        "碎花=floral,印花=print,条纹=striped,格子=plaid,波点=polka dot,卡通=cartoon,小熊=bear,熊猫=panda,恐龙=dinosaur,猫咪图案=cat pattern,兔子=rabbit,小猪佩奇=peppa pig,奥特曼=ultraman,汪汪队=paw patrol,冰雪奇缘=frozen,迪士尼=disney,米奇=mickey,"
        "哆啦a梦=doraemon,皮卡丘=pikachu,火影忍者=naruto,海贼王=one piece,漫威=marvel,蜘蛛侠=spider man,哈利波特=harry potter,星空=starry sky,山水=landscape,樱花=cherry blossom,玫瑰=rose,爱心=heart,字母=letters,骷髅=skull,迷彩=camouflage,豹纹=leopard print,"
        "世界地图=world map,十二生肖=zodiac,佛像=buddha,马到成功=galloping horse,龙凤=dragon and phoenix,蝴蝶=butterfly,葫芦=gourd,独角兽=unicorn,草莓图案=strawberry pattern,宇航员=astronaut"
    ),
    "origin": (
        "日本=japanese,韩国=korean,韩版=korean style,日系=japanese style,泰国=thai,德国=german,法国=french,意大利=italian,美国=american,英国=british,澳洲=australian,新西兰=new zealand,进口=imported,原装进口=imported,国产=domestic,"
        "新疆=xinjiang,云南=yunnan,东北=northeast china,四川=sichuan,内蒙古=inner mongolia,景德镇=jingdezhen,欧美=western style,俄罗斯=russian,印度=indian,宁夏=ningxia,福建=fujian,海南=hainan,西湖=west lake,瑞士=swiss,越南=vietnamese,智利=chilean"
    ),
    "condition": "二手=second hand,全新=new,九成新=nearly new,翻新=refurbished,官翻=refurbished,旧=used,旧款=old,拆封=open box,尾货=clearance stock,样品=sample,复古=vintage,古董=antique",
    "shape": (
        "圆形=round,圆=round,方形=square,正方形=square,长方形=rectangular,椭圆形=oval,心形=heart shaped,修身=slim fit,宽松=loose,直筒=straight,阔腿=wide leg,小脚=skinny,紧身=tight,高腰=high waisted,低腰=low rise,长款=long,中长款=mid length,短款=short,"
        "长袖=long sleeved,短袖=short sleeved,无袖=sleeveless,七分=cropped,九分=ankle length,v领=v neck,圆领=crew neck,高领=turtleneck,方领=square neck,连帽=hooded,立领=stand collar,一字肩=off shoulder,尖头=pointed toe,圆头=round toe,粗跟=block heel,细跟=stiletto,平底=flat,坡跟=wedge heel,厚底=platform,"
        "弧形=curved,l型=l shaped,扁=flat,超薄=ultra thin,迷你=mini,小巧=compact,高帮=high top,低帮=low top,鱼尾=mermaid,a字=a line,大号圆=large round,长条=long"
    ),
    "modifier": (
        "防水=waterproof,防滑=non slip,防摔=shockproof,防晒=sun protection,防风=windproof,防蓝光=blue light blocking,防盗=anti theft,保暖=warm,加绒=fleece lined,加厚=thick,加大=oversized,加长=extra long,轻便=lightweight,轻薄=lightweight,超轻=ultralight,便携=portable,迷你款=mini,"
        "折叠=foldable,可折叠=foldable,伸缩=telescopic,无线=wireless,蓝牙=bluetooth,有线=wired,充电=rechargeable,充电式=rechargeable,电动=electric,自动=automatic,全自动=fully automatic,半自动=semi automatic,手动=manual,智能=smart,语音=voice control,遥控=remote controlled,太阳能=solar,"
        "静音=quiet,降噪=noise cancelling,大容量=large capacity,大功率=high power,高清=hd,4k=4k,变频=inverter,节能=energy saving,速干=quick drying,透气=breathable,吸汗=sweat absorbing,弹力=stretch,显瘦=slimming,显高=height increasing,百搭=versatile,时尚=fashionable,潮流=trendy,简约=minimalist,"
        "可爱=cute,少女=girly,文艺=artistic,高端=high end,高档=premium,轻奢=affordable luxury,ins风=instagram style,北欧=nordic,中式=chinese style,美式=american style,法式=french style,欧式=european style,民族风=ethnic style,国潮=chinese trendy,网红=viral,小众=niche,爆款=best selling,"
        "家用=home use,商用=commercial,车载=car,户外=outdoor,办公=office,宿舍=dormitory,厨房=kitchen,卫生间=bathroom,客厅=living room,卧室=bedroom,桌面=desktop,壁挂=wall mounted,落地=floor standing,悬挂=hanging,立式=vertical,卧式=horizontal,双开门=double door,三门=three door,抽屉式=drawer type,"
        "补水=hydrating,保湿=moisturizing,美白=whitening,祛痘=acne treatment,祛斑=spot removal,控油=oil control,去屑=anti dandruff,抗皱=anti wrinkle,敏感肌=for sensitive skin,油皮=for oily skin,干皮=for dry skin,无糖=sugar free,低脂=low fat,脱脂=skimmed,全脂=whole,有机=organic,原味=original flavor,"
        "麻辣=spicy,五香=five spice,无添加=additive free,高钙=high calcium,即食=ready to eat,速溶=instant,散装=loose,真空=vacuum packed,新鲜=fresh,冷冻=frozen,手工=handmade,定制=custom,刻字=engraved,磁吸=magnetic,液态=liquid,夜光=luminous,发光=light up,带灯=with light,多功能=multifunctional,"
        "专业=professional,入门=beginner,竞技=competition,训练=training,减肥=weight loss,健身=fitness,瑜伽=yoga,跑步=running,登山=hiking,游泳=swimming,骑行=cycling,钓鱼=fishing,游戏=gaming,电竞=gaming,学习=study,护眼=eye protection,助眠=sleep aid,按摩=massage,机械=mechanical,石英=quartz,"
        "不粘=non stick,耐磨=wear resistant,耐高温=heat resistant,隔热=heat insulated,密封=sealed,环保=eco friendly,可水洗=washable,免打孔=no drilling,免洗=rinse free,一次性=disposable,可爱风=cute style,减震=shock absorbing,增高=height increasing,斜挎=crossbody,手提=handheld,双肩=two strap,拉链=zip,大牌=big brand,正品=genuine,同款=same style,改良=modified,"
        "type-c=type c,usb=usb,5g=5g,双卡=dual sim,快充=fast charging,曲面屏=curved screen,触屏=touch screen,大屏=large screen,大字=large print,婴儿级=baby grade,三段=stage 3,一段=stage 1,孕期=maternity,内置=built in,仿真=realistic"
    ),
}

_BRANDS: Final = (
    "苹果=apple,华为=huawei,荣耀=honor,小米=xiaomi,红米=redmi,oppo=oppo,vivo=vivo,一加=oneplus,三星=samsung,索尼=sony,联想=lenovo,戴尔=dell,惠普=hp,华硕=asus,宏碁=acer,微软=microsoft,佳能=canon,尼康=nikon,富士=fujifilm,大疆=dji,罗技=logitech,雷蛇=razer,漫步者=edifier,森海塞尔=sennheiser,bose=bose,jbl=jbl,"
    "海尔=haier,美的=midea,格力=gree,海信=hisense,tcl=tcl,创维=skyworth,长虹=changhong,九阳=joyoung,苏泊尔=supor,小熊=bear,松下=panasonic,飞利浦=philips,西门子=siemens,博世=bosch,戴森=dyson,科沃斯=ecovacs,石头=roborock,方太=fotile,老板=robam,奥克斯=aux,万和=vanward,格兰仕=galanz,双立人=zwilling,膳魔师=thermos,虎牌=tiger,乐扣=lock&lock,"
    "耐克=nike,阿迪达斯=adidas,阿迪=adidas,李宁=li ning,安踏=anta,特步=xtep,361度=361 degrees,匹克=peak,回力=warrior,鸿星尔克=erke,新百伦=new balance,匡威=converse,万斯=vans,彪马=puma,斯凯奇=skechers,亚瑟士=asics,北面=the north face,探路者=toread,骆驼=camel,迪卡侬=decathlon,"
    "优衣库=uniqlo,海澜之家=heilan home,波司登=bosideng,太平鸟=peacebird,森马=semir,美特斯邦威=metersbonwe,杰克琼斯=jack jones,only=only,zara=zara,hm=h&m,南极人=nanjiren,恒源祥=hengyuanxiang,雅戈尔=youngor,七匹狼=septwolves,巴拉巴拉=balabala,古驰=gucci,路易威登=louis vuitton,lv=louis vuitton,香奈儿=chanel,爱马仕=hermes,普拉达=prada,coach=coach,蔻驰=coach,奥康=aokang,百丽=belle,达芙妮=daphne,"
    "兰蔻=lancome,雅诗兰黛=estee lauder,欧莱雅=loreal,资生堂=shiseido,sk2=sk-ii,迪奥=dior,圣罗兰=ysl,mac=mac,完美日记=perfect diary,花西子=florasis,百雀羚=pechoin,自然堂=chando,大宝=dabao,曼秀雷敦=mentholatum,妮维雅=nivea,海飞丝=head & shoulders,飘柔=rejoice,潘婷=pantene,清扬=clear,舒肤佳=safeguard,高露洁=colgate,云南白药=yunnan baiyao,"
    "茅台=moutai,五粮液=wuliangye,泸州老窖=luzhou laojiao,青岛=tsingtao,雪花=snow,伊利=yili,蒙牛=mengniu,光明=bright dairy,飞鹤=feihe,美赞臣=mead johnson,爱他美=aptamil,惠氏=wyeth,雀巢=nestle,星巴克=starbucks,三只松鼠=three squirrels,良品铺子=bestore,百草味=be & cheery,康师傅=master kong,统一=uni-president,农夫山泉=nongfu spring,旺旺=want want,乐事=lays,奥利奥=oreo,费列罗=ferrero,德芙=dove chocolate,"
    "宜家=ikea,全友=quanu,顾家=kuka,林氏木业=linshi,水星家纺=mercury,罗莱=luolai,慕思=derucci,喜临门=sleemon,好孩子=goodbaby,帮宝适=pampers,花王=merries,好奇=huggies,贝亲=pigeon,乐高=lego,费雪=fisher price,孩之宝=hasbro,泡泡玛特=pop mart,晨光=m&g,得力=deli,派克=parker,英雄=hero,卡西欧=casio,天梭=tissot,浪琴=longines,欧米茄=omega,劳力士=rolex,周大福=chow tai fook,老凤祥=lao feng xiang,周生生=chow sang sang,潘多拉=pandora,施华洛世奇=swarovski,雅迪=yadea,爱玛=aima,捷安特=giant,米其林=michelin,美孚=mobil,皇家=royal canin,渴望=orijen,施耐德=schneider,公牛=bull,欧普=opple,雷士=nvc"
)

_NAMES: Final = (
    "iphone 15,iphone 14 pro,iphone 13,iphone15,iphone14promax,iphone se,苹果15,苹果14,ipad,ipad air,ipad mini,ipad pro,macbook air,macbook pro,airpods,airpods pro,airpods3,apple watch,mate60,mate60 pro,mate50,p60,p50pro,nova 11,畅享60,小米13,小米14,红米note12,"
    "荣耀90,magic5,find x6,reno10,x90,s23 ultra,galaxy s22,z flip5,ps5,xbox,switch,switch oled,kindle,gopro,thinkpad x1,小新pro16,拯救者y9000p,surface pro,air force 1,aj1,空军一号,椰子350,stan smith,三叶草,小黑瓶,小棕瓶,神仙水,大红瓶,黑绷带,红腰子,"
    "飞天茅台,国窖1573,梦之蓝,特仑苏,安慕希,铁观音,龙井,碧螺春,大红袍,金骏眉,哈利波特,三体,红楼梦,新华字典,五年高考三年模拟,大富翁,狼人杀,米家,天猫精灵,小爱同学,小度"
)

_CODES: Final = "wh-1000xm5,wf1000xm4,a7m4,d7500,eos r6,g304,mx master 3,k380,rtx4060,rtx 3060,i5-12400f,i7-13700k,990pro,tl-wdr5620,hp1020,m1136,lj2400,cr2032,18650,7号,ar-15b,999,405,c07,501,574,m340i,kfr-35gw,xqg100,bcd-470,55a6,qn65b,e27,gu10,6205,dn50,m8,12v60ah"


def _entries(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (entry.partition("=") for entry in text.split(","))
    return tuple(
        (chinese, english or (chinese if chinese.isascii() else ""))
        for chinese, _, english in pairs
    )


ATTRIBUTES: Final = {name: _entries(text) for name, text in _ATTRIBUTES.items()} | {
    "creator": _entries(_BRANDS),
    "product_name": _entries(_NAMES),
    "product_number": _entries(_CODES),
}
"""Entity type → (Chinese, English) of its words."""

_INVENTED = "安宝贝本博彩晨诚达德登迪蒂多恩尔法菲飞芬丰福歌格贵豪禾和恒鸿虎华辉惠吉佳嘉嘉健杰金京晶景凯康科可克拉莱兰朗乐雷丽莉联林琳灵龙罗洛马曼美梦米莫纳妮诺欧帕派佩鹏奇琪启千青琼锐瑞润萨森莎尚圣盛诗仕思斯泰天添庭通万维伟沃西希熙喜夏仙香翔晓欣新鑫星雅亚妍阳耀怡依艺逸意盈永优宇语玉元圆悦泽哲臻正芝智卓姿"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_VOWELS = "aeiou"

_DIGITS = "零一二三四五六七八九"


def invented_brand(chance: random.Random) -> str:
    """A brand nobody has: two to four characters of brand names, or Latin letters."""
    if chance.random() < 0.7:
        return "".join(chance.choice(_INVENTED) for _ in range(chance.choice((2, 2, 3, 3, 4))))
    return "".join(
        chance.choice(_LETTERS) + chance.choice(_VOWELS) for _ in range(chance.choice((2, 2, 3)))
    ) + chance.choice(("", "", "n", "r", "x", "s", "co", "max"))


def invented_code(chance: random.Random) -> str:
    """A model number: letters and digits, with or without a hyphen."""
    letters = "".join(chance.choice(_LETTERS) for _ in range(chance.randint(1, 3)))
    digits = str(chance.randint(10, 9999))
    return chance.choice((f"{letters}{digits}", f"{letters}-{digits}", f"{digits}{letters}"))


def spelt(number: int) -> str:
    """A number from 1 to 9999 in Chinese characters, as people say it: 两百, 三十五, 一千二."""
    if number < 10:
        return _DIGITS[number]
    for unit, name in ((1000, "千"), (100, "百"), (10, "十")):
        if number >= unit:
            head, rest = divmod(number, unit)
            first = "两" if head == 2 and unit > 10 else _DIGITS[head]
            front = name if unit == 10 and head == 1 else first + name
            if not rest:
                return front
            if unit > 10 and rest % (unit // 10) == 0:
                return front + _DIGITS[rest // (unit // 10)] + ("" if unit > 100 else "十")
            return front + ("零" if rest < unit // 10 else "") + spelt(rest)
    raise ValueError(number)


def price(chance: random.Random) -> tuple[str, str]:
    """A price or a bound on it: 200元以内, 一百块以下, 便宜."""
    if chance.random() < 0.12:
        return chance.choice(
            (
                ("便宜", "cheap"), ("便宜点", "cheaper"), ("实惠", "affordable"), ("平价", "affordable"), ("特价", "on special offer"),
                ("白菜价", "dirt cheap"), ("高性价比", "good value"), ("性价比高", "good value"), ("打折", "discounted"),
            )
        )  # fmt: skip
    low = chance.choice(
        (
            5,
            9,
            10,
            15,
            20,
            30,
            50,
            80,
            99,
            100,
            120,
            150,
            200,
            300,
            500,
            600,
            800,
            1000,
            1500,
            2000,
            3000,
            5000,
            8000,
        )
    )
    amount = spelt(low) if chance.random() < 0.25 else str(low)
    unit = chance.choice(("元", "元", "块", "块", "块钱", ""))
    if chance.random() < 0.12:
        high = low * 2
        return chance.choice(
            (
                f"{low}-{high}{unit}",
                f"{low}到{high}{unit}",
                f"{low}至{high}{unit or '元'}",
                f"{low}~{high}",
            )
        ), f"{low} to {high} yuan"
    bound, english = chance.choice(
        (
            ("以内", "under"), ("以下", "under"), ("之内", "within"), ("左右", "around"), ("上下", "around"), ("以上", "over"),
            ("内", "within"), ("多", "about"), ("出头", "a little over"), ("不到", "less than"), ("", ""),
        )
    )  # fmt: skip
    if bound == "不到":
        return f"不到{amount}{unit or '块'}", f"less than {low} yuan"
    if not bound:
        return f"{amount}{unit or '元'}", f"{low} yuan"
    if bound in ("出头", "多"):
        return f"{amount}{bound}{'块' if bound == '多' else ''}", f"{english} {low} yuan"
    return f"{amount}{unit}{bound}", f"{english} {low} yuan"


def size(chance: random.Random) -> tuple[str, str]:
    """A size or a measure: 42码, xl, 500ml, 1.5米, 十斤."""
    n = chance.randint
    forms = (
        (f"{n(34, 46)}码", "size {}"), (chance.choice(("s", "m", "l", "xl", "xxl", "2xl", "3xl", "4xl")), "size {}"),
        (chance.choice(("s码", "m码", "l码", "xl码", "xxl码", "大码", "小码", "中码", "均码", "加大码", "大号", "小号", "中号", "特大号")), "size {}"),
        (f"{chance.choice((100, 150, 200, 250, 300, 350, 450, 500, 600, 750, 1000))}{chance.choice(('ml', '毫升', 'ML'))}", "{}"),
        (f"{chance.choice((50, 100, 200, 250, 500, 800, 900))}{chance.choice(('g', '克'))}", "{}"),
        (f"{chance.choice((1, 2, 3, 5, 10, 15, 20, 25))}{chance.choice(('斤', 'kg', '公斤', 'l', '升', 'L'))}", "{}"),
        (f"{spelt(chance.choice((1, 3, 5, 10, 20)))}{chance.choice(('斤', '升', '米', '寸'))}", "{}"),
        (f"{chance.choice(('1', '1.2', '1.35', '1.5', '1.8', '2', '2.2', '3', '0.9'))}{chance.choice(('米', 'm', '米床', '米长', '米宽'))}", "{}"),
        (f"{chance.choice((10, 13.3, 14, 15.6, 16, 20, 24, 26, 27, 28, 32, 43, 50, 55, 65, 75, 85))}{chance.choice(('寸', '英寸', '吋'))}", "{} inch"),
        (f"{n(5, 200)}{chance.choice(('cm', '厘米', 'mm', '公分'))}", "{}"),
        (f"{chance.choice((64, 128, 256, 512, 16, 32))}{chance.choice(('g', 'gb', 'G', 'GB'))}", "{}"), (chance.choice(("1t", "2t", "1tb", "2TB", "500g", "8g+256g", "12+256")), "{}"),
        (f"{chance.choice((5000, 10000, 20000, 30000, 3000))}{chance.choice(('毫安', 'mah', '毫安时'))}", "{}"),
        (f"{chance.choice((5, 12, 24, 36, 48, 60, 72, 220))}{chance.choice(('v', '伏', 'V'))}", "{}"), (f"{chance.choice((20, 33, 65, 100, 120, 200, 500, 1000, 2000))}{chance.choice(('w', '瓦', 'W'))}", "{}"),
        (f"{chance.choice((80, 90, 100, 110, 120, 130, 140, 150))}{chance.choice(('cm', '码'))}", "height {}"),
        (f"{chance.choice((1, 2, 3, 4, 5, 6))}-{chance.choice((6, 7, 8, 10, 12))}{chance.choice(('岁', '人', '个月', '寸'))}", "{}"),
        (f"{chance.choice((1, 1.5, 2, 3))}匹", "{} horsepower"), (f"{n(1, 12)}{chance.choice(('人', '人座', '人位', '层', '门', '格'))}", "for {}"),
        (f"{chance.choice(('1.8', '1.5', '2', '1.2'))}x{chance.choice(('2', '2.2', '1.8'))}{chance.choice(('米', 'm', ''))}", "{}"), (f"{n(3, 20)}升", "{} liters"),
    )  # fmt: skip
    chinese, english = chance.choice(forms)
    latin = "".join(c for c in chinese if c.isascii())
    return chinese, english.format(latin or "large")


def quantity(chance: random.Random) -> tuple[str, str]:
    """How many: 两件, 5双, 一箱, 10包装."""
    number = chance.choice((2, 2, 2, 3, 3, 4, 5, 6, 8, 10, 12, 20, 24, 30, 50, 100))
    counted = "两" if number == 2 else spelt(number)
    if chance.random() < 0.5:
        counted = str(number)
    measure = chance.choice(
        (
            "个",
            "件",
            "双",
            "条",
            "瓶",
            "包",
            "盒",
            "箱",
            "只",
            "袋",
            "支",
            "台",
            "套",
            "本",
            "张",
            "把",
            "件装",
            "只装",
            "支装",
            "片",
            "罐",
            "卷",
            "片装",
            "个装",
            "双装",
            "包装",
            "对",
            "块",
            "根",
            "份",
            "斤装",
        )
    )
    special = (
        "一箱",
        "整箱",
        "一打",
        "一盒",
        "两件套",
        "三件套",
        "四件套装",
        "套装",
        "礼盒装",
        "一套",
        "1箱",
        "一对",
        "组合装",
        "家庭装",
        "单瓶",
        "大包装",
        "一包",
        "一袋",
        "量贩装",
    )
    if chance.random() < 0.3:
        chinese = chance.choice(special)
        english = {
            "一箱": "a case of",
            "整箱": "a case of",
            "1箱": "a case of",
            "一打": "a dozen",
            "一盒": "a box of",
            "一对": "a pair of",
        }.get(chinese, "set of")
        return chinese, english
    return counted + measure, str(number)


def time_(chance: random.Random) -> tuple[str, str]:
    """When it is from: 2024新款, 80年代, 今年."""
    year = chance.choice((2019, 2020, 2021, 2022, 2023, 2024, 2025, 2026))
    return chance.choice(
        (
            (f"{year}新款", f"new {year}"), (f"{year}年", str(year)), (f"{year}", str(year)), ("新款", "new"), (f"{year}款", str(year)),
            ("今年新款", "new this year"), ("当季", "this season's"), ("民国", "1920s"), ("八十年代", "1980s"), ("90年代", "1990s"), ("清代", "qing dynasty"),
        )
    )  # fmt: skip
