# ruff: noqa: E501 - templates read better one a line
"""What shoppers ask of a shop, by intent: templates before || and their English behind it.

A leading - or + says the feeling; all others are neutral. Slots: see `training.data.generator.zh.compose`.
"""

from typing import Final

TEMPLATES: Final[dict[str, str]] = {
    "product_question": """
{it}(是|是不是)(正品|真的|原装|官方的|专柜正品)(吗|么|?|) || is it genuine
{it}(能|可以|可不可以|能不能)(机洗|水洗|手洗|进洗衣机|放洗碗机|烘干|熨烫)(吗|不|么|) || can it be machine washed
{it}(会|会不会|容易)(掉色|起球|缩水|变形|褪色|生锈|掉毛|勾丝|透|皱)(吗|么|不|) || does it fade or shrink
{it}(是|用的是|算)(什么|啥)(材质|料子|面料|材料|皮)(的|做的|) || what material is it made of
{it}(是|是不是){material}(的|)(吗|还是{material}) || is it made of this material
{it}(有|还有)(没有|){color}(的|)(吗|) || does it come in this color
{it}(有|还有)(没有|)(别的|其他)(颜色|款式|尺码|尺寸)(吗|可选吗|) || are there other colors or sizes
{it}(还有|有)(货|现货|库存)(吗|没|么) || is it in stock
(什么时候|啥时候|几时|多久)(能|)(补货|到货|有货|上架|再上) || when will it be back in stock
{color}(的|)(什么时候|啥时候)(有货|补货|到) || when will this color be back in stock
(身高|)1(5|6|7|8)(0|2|5|8)(cm|)(,|)(体重|)(九十|100|110|120|130|150|180)斤(穿|要|选|该买)(什么|多大|几|啥)(码|号) || what size should i take for my height and weight
{it}(偏大|偏小|标准码|正码)(吗|还是偏小|不|) || does it run large or small
(平时|平常)穿{size}(这款|这个|)(要|该|)(拍|选|穿)(多大|几码|什么码) || which size should i choose
{it}(能|可以)(连|连接|兼容|支持|配|用在){name}(吗|上吗|不) || is it compatible with my device
{it}(适合|适用|支持|兼容){name}(吗|不|么) || does it fit my model
{it}(支持|有没有|有|带|能不能)(快充|无线充电|蓝牙|防水|指纹|面容识别|定位|夜视|语音控制|遥控器)(功能|)(吗|不|) || does it support fast charging
{it}(充一次电|充满电|电池|满电)(能|可以|)用(多久|多长时间|几天|几个小时) || how long does the battery last
{it}(充满|充电)(要|需要)(多久|几小时|多长时间) || how long does charging take
{it}(声音|噪音|动静)(大|响)(吗|不大|么|不) || how loud is it
{it}(内存|硬盘|屏幕|电池|容量|功率|尺寸|重量|长宽高)(是|有|)(多大|多少|多重) || how big is it
{it}(多高|多宽|多长|多重|多深|多厚|几寸|几升|几斤) || what are its dimensions
{it}(和|跟|与){name}(有|)(什么|啥|哪些)(区别|不同|差别) || what is the difference between them
(标准版|青春版|低配|老款)(和|跟)(pro版|旗舰版|高配|新款)(有什么区别|差在哪|哪里不一样|有啥不同) || what is the difference between the standard and the pro version
{it}(孕妇|宝宝|小孩|老人|敏感肌|糖尿病人|学生|新手)(能|可以|可不可以)(用|吃|喝|穿|玩)(吗|不|) || can pregnant women use it
{it}(几岁|多大)(的孩子|宝宝|小孩)(能|可以)(玩|用|吃|坐) || what age is it suitable for
(保质期|有效期|生产日期|过期时间)(到|是|)(什么时候|多久|几号|哪天) || what is the shelf life
{it}(里面|)(含|有没有|含不含)(酒精|糖|香精|防腐剂|激素|甲醛|荧光剂)(吗|) || does it contain alcohol
{it}(怎么|如何|咋)(用|使用|安装|组装|操作|清洗|保养|充电|连接蓝牙|开机|调节) || how do i use it
{it}(要|需要|得)(自己|)(安装|组装)(吗|么|不) || does it need assembly
{it}(包|带|送|配|附|含)(电池|充电器|说明书|收纳袋|灯泡|滤芯|赠品|支架|数据线)(吗|不|么) || does it come with batteries
(送|有)(什么|啥|哪些)(赠品|配件|礼品) || what accessories are included
{it}(有没有|有)(味道|异味|气味|甲醛)(吗|) || does it smell
{it}(是|)(哪里|哪|哪个国家)(产的|生产的|发货|制造的) || where is it made
{it}(几个|几件|几支|多少片)(一盒|一包|一套|装) || how many are in a pack
{it}(承重|最大承重|载重|能承重)(多少|是多少)(斤|) || how much weight can it hold
{it}(值不值|好不好用|好用吗|耐用吗|质量怎么样|怎么样|靠谱吗|效果好吗) || is it any good
{it}(跟|和)(图片|图上|照片)(一样|有色差)(吗|) || does it look like the picture
{product}(是不是|是)(正品|纯棉的|防水的|今年的新款|国行)(吗|) || is this product genuine
{product}(能|会|可以)(掉色|机洗|连手机|定时|折叠|调节|用多久)(吗|) || can this product be machine washed
{product}(多少钱|什么价|怎么卖|啥价位|价格多少) || how much is this product
{it}(多少钱|什么价|怎么卖|几块钱) || how much is it
(请问|问一下|想问下|我想了解下){product}(的|)(尺寸|参数|材质|成分|功能|规格|配置|产地)(是什么|有哪些|) || what are the specifications of this product
(尺码表|参数|说明书|成分表|检测报告|实物图)(有吗|发一下|给我看看|在哪看) || can i see the size chart
{it}(跟|和)(官网|专柜|实体店)(一样|同款)(吗|) || is it the same as in the store
{it}(开|用)(一|)(天|晚上|小时)(多少|几)(度|)电 || how much power does it use
{it}(烧开|水开了|没电了|到点|做好)(会|)(自动|)(断电|关机|提醒|停)(吗|) || does it switch off automatically
{it}(男女|男生|女生)(都|)(能|可以)(穿|戴|用)(吗|) || can both men and women wear it
""",
    "recommendation": """
(送|给)(爸爸|妈妈|女朋友|男朋友|老公|老婆|领导|老师|客户|孩子|同学|闺蜜|爷爷|丈母娘|侄女)(什么|啥)({gift}|)(好|合适|比较好|呢) || what gift should i get
(女朋友|老公|妈妈|朋友|老师|宝宝)(过|)(生日|满月|周年|结婚|毕业)(送|买|该送)(什么|啥)({gift}|)(好|合适|呢|) || what should i give for a birthday
(推荐|求推荐|安利|给我推荐)(一下|几款|一款|个|点|){product}(吧|呗|呢|) || recommend me one
{product}(求推荐|有什么推荐|有推荐的吗|推荐一下|怎么选|怎么挑|咋选) || which one do you recommend
(有什么|有啥|有没有)(好用的|好的|性价比高的|值得买的|口碑好的|靠谱的){product}(推荐|) || any good ones you recommend
(哪个|哪款|哪种|什么|哪家)(牌子|品牌|款|)(的|){product}(好|好用|最好|性价比高|值得买|质量好|耐用) || which brand is best
{product}(哪个|哪款|哪种|什么|哪家)(牌子|品牌|款|)(的|)(好|好用|最好|性价比高|值得买|质量好|耐用|比较好) || which brand is best
{brand}(和|跟|还是){brand}(的|){head}(哪个|哪家|谁)(好|更好|值得买|耐用|划算) || which brand is better
{head}(买|选|用){brand}(还是|或者){brand}(好|呢|) || should i buy this brand or that
(这两款|这几个|两个|黑的和白的|这俩)(哪个|哪款|选哪个|我该选哪个)(好|更好|合适|划算|) || which of these two is better
(帮我|能不能帮我|给我)(选|挑|参谋|看看哪个)(一个|一款|下|){head}(吧|,{use}|) || help me choose one
{use}(用|)(买|选|该买|推荐)(什么|哪款|啥)(样的|){head}(好|合适|呢|) || which one is suitable for my use
(有没有|有|求)(适合|能){use}(的|用的){head}(推荐|吗|) || is there one suitable for my use
(预算|){price}(,|)(买|推荐|能买|有什么)(什么|哪款|啥)(样的|){head}(好|合适|) || what should i buy on this budget
(最近|现在|今年)(什么|哪些|哪款){head}(最|比较|)(火|流行|受欢迎|好卖|畅销) || what is popular now
(大家|你们|别人)(都|一般|)(买|用|推荐)(什么|哪款|哪个牌子)(的|){head} || what does everyone buy
(新手|学生|老人|油皮|宝妈|胖子|小个子|上班族|初学者)(适合|用|买|该用)(什么|哪款|哪种)(样的|){head}(好|) || which one is suitable for beginners
(搭配|配)(这条|这件|我的|)(裙子|裤子|外套|西装|沙发|手机)(用|)(什么|哪种|啥)(好看|合适|鞋子好|颜色好|) || what goes well with this
(想|要)(买|换)(个|一台|){head},(有什么|有啥|求)(建议|推荐|好的介绍)(吗|) || i want to buy one, any suggestions
(有什么|有啥|想要)(礼物|礼品|伴手礼)(推荐|建议|适合{who}的)(吗|) || any gift ideas
(和|跟)(这个|这款|它)(差不多|类似|相似)(的|)(有|还有)(吗|哪些|推荐吗) || is there something similar
(买|选)(大的|小的|贵的|便宜的|黑色|白色)(还是|或者)(小的|大的|白色|别的)(好|呢) || should i take the big or the small one
(这款|这个)(值得|值不值得|适合我|建议)(买|入手|入)(吗|) || is it worth buying
""",
    "place_order": """
(我要|我想|想|直接|现在|马上|准备)(下单|下订单|订购|购买|买单|拍下|下个单|结账) || i want to place an order
(怎么|如何|咋|在哪|哪里)(下单|买|购买|订购|拍|提交订单|结算|付款购买) || how do i place an order
(我要|我想|想|帮我|给我)(订|下单|拍|预订|买下|预定){product} || i want to order this
(帮我|麻烦|请|给我)(下单|拍|订|买|结算)({it}|购物车里的|购物车里的东西|两件|这个|) || please order it for me
(把|)(购物车|收藏夹)(里的|里面的|)(东西|商品|)(全部|都|一起|)(买了|结算|下单|付了) || buy everything in my cart
(就|那就)(要|买|拍)(这个|这款|它|{color}的|{size}的)(了|吧)(,下单|,帮我下单|,怎么付款) || i will take this one
(给我|)(来|要|订|拍){qty}({color}|)({size}|)(的|) || i would like to order some
(可以|能|能不能|可不可以)(不注册|不登录|电话|线下|在微信上|到店|代)(直接|)(下单|购买|订购|买)(吗|) || can i order without registering
- (提交订单|下单|结算|付款页面|购买按钮)(一直|老是|总|)(没反应|报错|失败|卡住|点不动|转圈)(,烦死了|,怎么回事|,无语|) || i cannot get the order submitted
(下单|下订单|买)(的时候|)(要填什么|需要什么|流程是什么|步骤是什么) || what do i need to place an order
{it}(我|已经|)(拍了|下单了|拍下了|付款了)(,|)(麻烦|请|记得|)(安排|发货|尽快发|确认一下) || i have ordered it, please arrange it
{date}(能|可以|要|想)(订|预订|下单)(一个|一份|){product}(吗|) || can i order this for that day
(购物车|加购|加入购物车)(怎么|如何|在哪)(加|用|找|结算) || how do i add to cart
(我要|想)(再|)(买|订|下)(一单|一次|一份一样的|一个同样的) || i want to order the same again
(怎么|可以|能)(预定|预订|预售|定金)(吗|的怎么付|) || how can i pre-order
(这个|)(能|可以)(货到付款下单|现在下单|今天下单)(吗|) || can i order it now
""",
    "track_order": """
(我的|)(快递|包裹|物流|货|东西|订单|件)(到哪|到哪里|在哪|走到哪|现在在哪里|去哪)(了|儿了|里|) || where is my parcel
(我的|)(快递|物流|包裹|订单|配送)(状态|进度|信息|情况|动态|单号)(查询|是什么|怎么样了|) || my parcel status
(查|查询|查一下|看看|跟踪|帮我查|帮我看下|想查)(一下|)(我的|)(物流|快递|包裹|订单|物流信息|快递单号|订单状态)(到哪了|) || track my parcel
(订单|单号|运单|快递单)(号|){order}(到哪了|到哪里了|发货了吗|什么情况|物流|查一下|什么时候到|还没到|现在在哪) || where is order [ORDER]
{order}(发货了吗|到哪了|什么时候到|物流信息|帮我查下|查件|怎么还没到|的快递) || where is order [ORDER]
{order} || order [ORDER]
(怎么|为什么|咋)(还没|还不|一直不|迟迟不)(发货|发|寄出|出库|送到|送来|到|派送|更新物流)(啊|呢|呀|) || why has it not been shipped yet
(发货|寄出|发|出库|寄)(了吗|了没|了没有|没有|没|了么) || has it been shipped
(什么时候|几时|多会儿|啥时候|哪天|多久)(能|可以|才能|)(发货|到|到货|送到|收到|送达|派送) || when will it arrive
{date}(买的|下的单|拍的|订的|付款的)(东西|{head}|订单|)(到哪了|发货没|怎么还没到|什么时候到|还没收到) || where is what i bought then
(我|)(买的|订的|拍的|那个){head}(到哪了|发货了吗|什么时候到|怎么还没到|寄出来了吗|还没收到) || where is the thing i bought
(包裹|快递|货)(到|在|停在|卡在|还在){place}(了吗|吗|好几天了|没动|不动了) || is my parcel in this city
(显示|物流显示|系统显示)(已签收|签收了|已送达|派送中|已揽收)(,|)(可|但|可是|但是|)(我|)(没收到|没拿到|没见到|一直没到) || it says delivered but i have not received it
(快递|包裹)(放|在)(哪个|哪)(驿站|快递柜|里|儿)(了|取) || where can i pick up my parcel
(取件码|提货码|快递单号|物流单号)(是多少|发我|没收到|在哪看) || what is my tracking number
(预计|大概|估计)({date}|几天|什么时候|哪天)(能|)(到|送达|收到|到货) || when is delivery expected
(亲|老板|店家|)(,|)(我的|)(货|东西|宝贝|商品)(寄|发)(出来|出)(了|)(没有|没|吗) || have you sent my goods
- (说好|说|承诺|保证)(了|){date}(到|送到|发货)(,|)(到现在|现在|)(还|)(没到|没发|没影|没动静|不见踪影) || it was promised for that day and has not come
- (都|)(半个月|一个星期|五天|十天|好几天|两周|快一个月)(了|)(还|)(没到|没发货|没收到|物流不动|一动不动)(,太慢了|,急死人|,太离谱|,搞什么|,到底怎么回事|) || it is two weeks late
- (物流|快递)(太慢|慢死了|一直不更新|好久没动)(了|),(我的|)(包裹|东西)(到底|)(在哪|丢了吗|什么时候到) || delivery is so slow, where is my parcel
(催|麻烦催|帮我催)(一下|下|)(发货|快递|物流|单) || please hurry up my delivery
(今天|明天|周末)(能|可以|会)(发货|到|送到|送来)(吗|) || will it arrive today
(电话|我|)(没接到|不在家)(,|)(快递|包裹)(送|放|现在)(去|在|)(哪|哪了|哪里) || i missed the courier, where is the parcel
""",
    "change_order": """
(订单|我的订单|单子|{order})(能|可以|还能|能不能|可不可以)(改|修改|更改|改一下|变更)(吗|一下吗|下|) || can i change my order
(修改|更改|变更|改)(一下|)(我的|)(订单|单子|订单{order}|订单信息) || change my order
(拍|选|买|下|点)错(了|)(颜色|尺码|型号|款式|数量|规格|口味)(,|了,|)(能|可以|怎么|帮我|麻烦)(改|换|改一下|修改|改下)(吗|) || i ordered the wrong color, can i change it
(把|)({size}|{color}|颜色|尺码|型号)(改成|换成|改为){valued}(,还没发货|,谢谢|可以吗|吧|) || change it to this one, not shipped yet
(想|要|帮我|麻烦)(把|)({color}|{size})(的|)(改|换)(成|为)({color}|{size})(的|)(,还没发货|,刚下的单|) || please change the color of my order
(订单|{order}|刚才的单)(里|)(再|)(加|添|增加)(一件|一个|{product}|两双|点东西)(可以吗|行吗|吗|) || add one more item to my order
(把|)(数量|件数)(改成|改为|加到|减到)({qty}|两个|一件)(吧|可以吗|) || change the quantity to three
(从|)(订单|{order})(里|中|)(去掉|删掉|减掉|不要)({head}|其中一件|一件|那双) || take one item out of my order
(把|){head}(从订单里|从单子里|)(去掉|删了|拿掉)(,其他照发|,剩下的要|) || remove this from my order
(两个|几个|这几个|我的)(订单|单)(能|可以|)(合并|一起发|合在一起|一块发货)(吗|) || can you combine my orders
(备注|留言)(忘了|忘记|没)(写|填|加)(,|)(帮我|麻烦|)(加上|备注一下|补一个)({color}的|要新鲜的|送货前打电话|) || please add a note to my order
(刚|刚刚|才|{date})(下的单|下单|拍的)(,|)(想|要|能)(改|换|调整)(一下|)(规格|颜色|尺码|收货时间|配送时间|) || i just ordered and want to change it
(配送|送货|收货|发货)(时间|日期)(能|可以|)(改|改到|换到|推迟到|提前到)({date}|后天|下周)(吗|) || can the delivery date be changed
(订单|单子)(还没发货|没付款),(我|)(想|要)(换|改)(一个颜色|成{color}|大一码|别的款) || my order is not shipped, i want to change it
(能|可以)(晚|早|推迟)(几天|一点|两天)(发货|送|再发)(吗|) || can you ship it later
""",
    "cancel_order": """
(取消|撤销|撤掉|退掉|作废)(一下|)(我的|)(订单|单子|订单{order}|这单|{order}|刚才的订单) || cancel my order
(订单|单子|{order}|{date}的单)(怎么|如何|在哪|能|可以|帮我|麻烦|想)(取消|撤销|取消掉|取消一下)(吗|) || how do i cancel my order
(我|)(不想|不)(要|买)(了|){head}(了|),(帮我|麻烦|请|)(取消|取消掉|取消吧|撤单) || i do not want it any more, please cancel
(不想要|不要|不需要|不买)(了)(,|)(帮我|麻烦|请|能|)(取消|取消掉|撤单|取消订单)(吧|吗|一下|) || i do not want it any more, cancel it
(还没发货|没发货|没付款)(,|)(能|可以|想|我要|)(不要|取消|不买|撤单)(了|)(吗|) || it is not shipped yet, can i cancel
(重复|多|误|手滑)(下单|拍了|点了|下了)(,|了,|)(帮我|麻烦|请|)(取消|撤掉|删掉)(一个|其中一个|一单|) || i ordered twice, cancel one
(取消|撤单)(订单|)(要|需要|会|)(扣钱|手续费|违约金|扣多少|收费)(吗|多少|) || is there a fee for cancelling
(取消|撤销)(了|)(订单|的)(多久|什么时候)(生效|处理|审核)(,|)(钱会退吗|) || how long does a cancellation take
(我|)(取消|申请取消)(不了|失败|没反应)(订单|)(怎么办|,怎么回事|) || i cannot cancel the order
- (等|等了)(太久|这么久|一个月|半天)(了|)(,|)(不要了|直接取消|给我取消掉|取消算了|我要取消) || i waited too long, cancel it
- (太|这么)(慢|磨叽|坑)(了|)(,|)(取消|我不要了|给我取消订单|帮我把单取消了) || this is too slow, cancel it
{date}(买的|拍的|下单的|订的)(那个|){head}(我|)(不要了|取消|想取消|帮我取消掉) || cancel what i bought then
(预售|定金|秒杀|拼团)(订单|的|)(能|可以|怎么)(取消|不要了|退掉)(吗|) || can i cancel a pre-order
""",
    "delivery_info": """
(发|走|用|是)(什么|哪家|啥)(快递|物流) || which courier do you use
(包邮|免邮|包不包邮|包运费|免运费)(吗|么|不|) || is shipping free
{place}(包邮|能送|能发|发货|能到|可以寄|送得到|可以配送)(吗|不|么) || do you deliver to this place
(到|寄到|发到|送到|发){place}(要|大概|得|)(几天|多久|多长时间|多少天) || how many days to this place
(到|寄到|发到|送到|寄){place}(运费|邮费|快递费|要|)(多少|多少钱|怎么算|贵吗) || how much is shipping to this place
(运费|邮费|快递费|配送费|送货费)(多少|多少钱|怎么算|怎么收|几块|贵不贵) || how much is shipping
(满|买够|买)(多少|几件|多少钱)(包邮|免运费|免邮) || how much do i have to spend for free shipping
(可以|能|能不能)(发|走|用|指定)(顺丰|京东|邮政|ems|圆通|中通|韵达)(吗|不|么) || can you ship with this courier
(周末|节假日|晚上|星期天|过年|春节|国庆)(送货|发货|派送|配送|送)(吗|不|么) || do you deliver on weekends
(能|可以|支持)(寄|送|发|配送)(到|)(国外|海外|香港|台湾|农村|乡下|乡镇|外省)(吗|) || do you deliver abroad
(一般|通常|正常|拍下|付款后|下单后)(几天|多久|什么时候|多长时间)(发货|能到|到货|送到) || how long does delivery usually take
(大件|家具|冰箱|床垫|{head})(送货|)(送|能送|包)(上楼|到家|上门|进门|安装)(吗|) || do you deliver large items upstairs
(送货上门|上门安装|到店自提|自提|次日达|当日达|定时送)(吗|可以吗|支持吗|怎么选|有吗|要钱吗) || do you offer home delivery
(从|)(哪里|哪儿|什么地方)(发货|寄出|发的) || where do you ship from
(可以|能)(放|寄到|送到)(驿站|快递柜|门卫|代收点|丰巢)(吗|) || can it be left at a pickup point
(今天|现在|下午|晚上)(下单|拍|买)(今天|什么时候|明天|几号)(能|可以|)(发货|到|发|送到)(吗|) || if i order today when will it arrive
(加急|最快|急用)(能|可以|要|)(多久|几天|今天|明天)(到|发货|送到)(吗|) || what is the fastest delivery
(配送|送货|快递)(范围|时间|方式)(是什么|有哪些|几点到几点|) || what are the delivery options
(易碎|生鲜|贵重)(品|的)(怎么|)(寄|发|包装|运) || how do you ship fragile goods
""",
    "change_address": """
(地址|收货地址|收件地址|送货地址)(填|写|选|弄|输)错(了|)(,|)(帮我|麻烦|能|怎么|可以|)(改|改一下|修改|换)(吗|一下|) || the address is wrong, please change it
(修改|更改|改|换|变更|更换)(一下|)(我的|)(收货|配送|收件|送货|)(地址|信息|收货人|收件人)(怎么弄|) || change my delivery address
(收货地址|地址|收件地址|{order}的地址|订单地址)(改|换|改成|改到|换到|变更为)(到|成|){home}(吧|,谢谢|可以吗|) || change the delivery address to this place
(能|可以|帮我|麻烦|能不能)(改|换|转)(寄|送|发)(到|去){home}(吗|,谢谢|) || can you send it to this place instead
(我|)(搬家|搬|换地方|换工作)(了|)(,|)(怎么|如何|要|想)(换|改|更新)(收货|)(地址) || i moved, how do i change my address
(怎么|如何|在哪|哪里)(改|修改|更改|新增|添加|删除|设置)(一个|默认|)(收货|收件|)(地址) || how do i change my address
(新增|添加|加|设置)(一个|)(新|默认|)(收货|)(地址) || add a new address
(收件人|收货人|收货)(电话|手机|手机号|号码|联系方式)(改成|换成|改为|填错了,改成){phone} || change the recipient's phone number
{order}(的|)(收件人|收货)(电话|号码|姓名|名字)(改|换|填错了)(成|){phone} || change the phone number for the order
(收件人|收货人)(名字|姓名)(写错|填错|不对|改一下|要改) || the recipient's name is wrong
(送|寄|发)(到|)(公司|单位|学校|家里|老家|我妈那)(,|)(不要|别)(送|寄|)(家里|到家|公司|单位)(了|) || send it to my office, not home
(发|寄)(错|到|)(地址|旧地址|以前的地址)(了|),(能|可以|)(拦截|改|转寄|换)(吗|) || it is going to the old address, can you change it
(把|)(默认地址|收货地址|门牌号|小区)(改|换|改成|修正|补充)(一下|成新的|为公司|) || change my default address
""",
    "return_exchange": """
(我要|我想|想|要|申请|能|可以|怎么|如何)(退货|换货|退换货|退换|退掉|退了)(吗|) || i want to return it
{product}(想|要|能|可以|怎么)(退|换|退货|换货|退掉|换一个|换大一码|换个颜色)(吗|了|) || can i return this
{it}(太大|太小|大了|小了|不合适|不喜欢|不合身|有点紧|长了)(,|)(想|要|能|可以|怎么)(退|换|换小一码|换大一码|退货|换个码)(吗|) || it is too big, i want to exchange it
(想|要|能|帮我|可以)(换|换成|换个|调换)(一个|){valued}(的|)(吗|行吗|) || i want to exchange it for another size
(退货|换货|退换|售后)(地址|运费|流程|政策|规则|条件|时间|期限|单号)(是什么|是多少|谁出|怎么算|多久|发我|发我一下|填哪里|几天|) || what is your return policy
(七天|7天|15天|十五天)(无理由|)(退货|退换|怎么操作|怎么退|支持吗|) || is there a seven day return
(支持|有|是不是)(七天无理由|退换货|免费退换|运费险|上门取件|包换|试用|以旧换新)(吗|) || do you support free returns
(拆封|用过|洗过|剪了吊牌|没吊牌|没包装盒|没有小票|超过七天)(了|)(还|)(能|可以)(退|换|退货|退换)(吗|) || can i return it if it has been opened
(保修|质保|三包|保质|售后)(多久|几年|多长时间|期|期多长|政策|卡|怎么算) || how long is the warranty
(屏幕碎了|坏了|进水了|不亮了|不制冷了|掉漆了)(,|)(在不在|还在|是否|能不能)(保修|保修范围内|维修|免费修|修)(吗|期内吗|) || is this covered by the warranty
(怎么|在哪|哪里|如何)(维修|报修|保修|售后|申请售后|修) || how do i get a repair
(退货|退换货|换货)(申请|)(提交了|通过了|审核|处理|怎么还没通过|多久|要多久|进度)(吗|要多久|) || how long does an exchange take
(订单|){order}(申请|想|要|)(退货|换货|退换) || i want to return order [ORDER]
(快递|顺丰|你们)(能|可以|)(上门|)(取|取件|来取)(退货|)(吗|) || can you pick up the return
(退货|寄回去)(的|)(快递|单号|)(填|写|寄)(到|)(哪|哪里)(,要写什么吗|) || where do i send the return
(礼物|别人送的|买多了|买错了|买重复了)(,|)(能|可以|想)(退|退货|换别的)(吗|) || can i return a gift
- (货不对板|色差太大|质量不行|跟描述不符|做工太差),(我要|必须|给我|马上)(退货|退|换货|换一个)(,气死|,太坑了|) || it is not as described, i want to return it
- (什么|这)(破|烂|垃圾)(东西|质量|玩意),(我要|给我|必须)(退|退货|换货) || what rubbish, i want to return it
""",
    "refund": """
(退款|退的钱|钱|退款金额)(什么时候|多久|几天|啥时候|几时)(到账|到|能到|退回来|退给我|返还) || when do i get my money back
(退款|{order}退款|我的退款|退款{order})(进度|状态|到账了吗|成功了吗|处理了吗|查询|怎么样了|审核|还没到) || refund status
(申请|我要|我想|怎么|如何|在哪)(退款|申请退款|退钱|仅退款) || i want a refund
(货|东西|{head})(已经|都|)(退|寄)(回|)(去|给你们)(了|)({date}|好几天|一周|)(了|)(,|)(退款呢|钱呢|什么时候退款|还没退款|怎么还不退钱) || i returned it, where is my refund
(退|退我|能退|补|返)(我|)({money})(差价|运费|邮费|)(吗|可以吗|吧|) || can you refund me the difference
(买贵|降价|刚买就降价)(了|)(,|)(能|可以|)(退差价|补差价|退我{money}|保价)(吗|) || the price dropped, can i get the difference
(退款|钱)(退|打|返|会退)(到|回|)(哪里|哪|哪张卡|微信|支付宝|银行卡|原账户)(了|吗|) || where is the refund paid to
(退|退款|钱)(退|打|转)(到|)(我的|)(银行卡|卡|账号){account}(上|里|)(吧|可以吗|行吗|) || please refund it to my account [ACCOUNT]
(是|)(原路|)(退回|返回|退还)(吗|到哪|) || is the refund paid back the same way
(为什么|怎么|咋)(只|才)退(了|)({money}|一部分|一半) || why was only a part refunded
(退款|仅退款)(一般|通常|要|需要|)(几个工作日|多久|几天|多长时间) || how many days does a refund take
(没发货|没收到货|少货|取消订单|缺货)(了|)(,|)(能|可以|怎么|钱)(退款|退钱|退吗|退回来)(吗|) || the order was cancelled, how do i get a refund
(押金|定金|运费|多付的钱|会员费)(能|可以|怎么|什么时候)(退|退吗|退回) || when is the deposit refunded
(退款|退钱)(被拒|失败|关闭|驳回)(了|)(,|)(怎么办|为什么|什么原因) || my refund was rejected
- (钱|退款|{money})(到现在|拖了半个月|都一个月了|)(还|)(没|不)(退|到|给我)(,|)(想赖账吗|太过分了|骗子|什么意思|要投诉你们) || you still have not refunded me
- (收了货|退了货|东西都寄回去了)(还|)(不退钱|不给退款|拖着不退)(,|)(骗子|无赖|黑店|太恶心了) || you got the goods and give no refund, crooks
(报销|赔|补偿)(我|)(运费|快递费|邮费|{money})(吗|可以吗|) || will you reimburse the postage
""",
    "complaint": """
- {item}(收到|到手|打开|拿到)(的时候|时|就|就是|)(是|)(坏的|碎的|破的|裂了|脏的|漏的|变形的|有划痕) || it arrived broken
- (收到|拿到|买到|发来)(的|)({head}|东西|货)(是|)(坏的|碎的|破的|旧的|脏的|二手的|有划痕|发霉了|过期的|少配件) || the item i received is broken
- (发|寄|送)(错|漏)(了|货了|东西了|颜色了|尺码了|)(,|)(怎么搞的|我要的不是这个|太不负责了|给我重发|) || you sent the wrong item
- (又|居然|竟然|怎么)(给我|)(发错|寄错|漏发|少发)(了|){head} || you sent the wrong one again
- (少|漏|缺)(发|寄|)(了|)(一个|一件|一只|两包|几个){head}(,|)(找谁|怎么办|怎么解决|) || one item is missing
- (里面|包裹里|盒子里)(少|缺|没有)(了|)(一个|配件|螺丝|充电器|说明书|赠品|一只) || a part is missing from the box
- {item}(用|穿|戴|开|买)(了|)(没|才|不到|)({dur}|几天|一次|一个月)(就|)(坏了|断了|开胶了|破了|不亮了|不转了|死机了|掉色|没电了|散架了) || it broke after two days
- (质量|做工|材质|用料|味道|效果)(太|真|也太|实在)(差|烂|次|垃圾|糟糕|难闻)(了|)(,|)(一洗就掉色|一碰就坏|不值这个价|失望|根本没法用|) || the quality is terrible
- (客服|店家|卖家|快递员|送货员|安装师傅)(态度|服务|素质)(太|真|也太|极)(差|恶劣|烂|不耐烦)(了|)(,|)(我要投诉|不理人|骂人|还骂我|) || your customer service is terrible
- (我要|我想|必须|强烈)(投诉|举报|曝光|找12315|打315)(你们|这家店|客服|快递|商家|) || i want to make a complaint
- (快递|快递员|送货的)(把|)(包裹|东西|件)(扔|丢|摔|放)(在|)(门口|楼下|地上|垃圾桶旁)(就走了|不打电话|,都摔坏了|不管了) || the courier threw my parcel on the ground
- (包装|盒子|箱子|袋子)(破|烂|压扁|湿|漏)(了|)(,|)(里面|东西|)(都|)(湿了|坏了|洒了|碎了|) || the packaging was torn
- (假货|是假的|山寨|高仿|不是正品|冒牌货)(吧|,|!|)(味道不对|跟专柜不一样|骗人|退一赔三|) || this is a fake
- (跟|和|与)(图片|描述|宣传|页面|说的)(完全|根本|)(不一样|不符|两回事|差太远)(,|)(失望|骗人|太坑了|欺骗消费者|) || it is nothing like the picture
- (买回来|拿到手|刚到)(就|)(开不了机|充不进电|漏水|不能用|有裂缝|连不上)(,|)(什么破玩意|怎么回事|坑人|无语|) || it does not switch on
- (找|联系|问)(客服|你们|店家)(好几次|半天|三天)(都|)(没人理|不回|推来推去|不解决|装死) || nobody answers my messages
- {head}(拉链|扣子|把手|屏幕|按键|底座|轮子|接口)(第一天|没几天|刚用)(就|)(坏了|掉了|断了|失灵了) || the zipper broke on the first day
- (虚假|欺诈|骗子|无良|黑心)(宣传|商家|店铺|卖家)(,|!|)(我要投诉|赔钱|再也不来了|) || false advertising
- (吃|用|喝|擦)(了|完)(之后|)(拉肚子|过敏|脸上起痘|不舒服|烂脸)(了|)(,|)(你们要负责|怎么赔|赔偿|) || i got an allergy from it
- {item}(有|一股|好大)(的|)(异味|霉味|刺鼻的味道|头发|虫子|污渍|破洞) || it has a bad smell
- (衣服|裤子|鞋|{head})(上|)(有|破了)(个|一个)(洞|大洞|口子|污点)(,|)(怎么处理|你们怎么质检的|) || there is a hole in it
- (说好的|承诺的)(赠品|礼物|优惠|发票|配件)(没有|没给|没收到)(,|)(骗人|什么意思|说话不算数) || the promised gift is missing
""",
    "review": """
(怎么|如何|在哪|哪里)(写|发|给|提交)(评价|评论|好评|差评|晒图|追评) || how do i write a review
(我要|我想|想)(评价|写评价|给好评|给差评|追评|晒单|评论)(一下|) || i want to write a review
(评价|评论|追评)(能|可以|怎么|还能)(修改|改|删除|删|匿名)(吗|) || can i change my review
(好评|晒图|评价)(有|返|送)(什么|多少|)(奖励|现金|红包|积分)(吗|) || is there a reward for a review
+ {item}(收到了|到了|很好|用了几天)(,|)({praise}|{praise},{praise})(,五星好评|,好评|,推荐|) || i am very happy with it, five stars
+ {head}({praise}|{praise},{praise})(,五星|,好评|,下次还来|,会回购|,推荐购买|) || very good, would buy again
+ (好评|五星好评|满分|点赞|必须好评)(,|!|){praise} || five stars, very good
+ (物流|发货|快递)(快|很快|神速)(,|)(东西|质量|包装)(也|)(好|不错|满意)(,|)(推荐|好评|下次还买|) || fast delivery and good quality
+ (孩子|老婆|妈妈|老公|家人|朋友)(很|都|特别|超)(喜欢|满意)(,|)(谢谢店家|好评|会再买|) || my family loves it
(一般|一般般|还行|凑合|中规中矩|还可以|马马虎虎)(吧|)(,|)(对得起这个价|没什么惊喜|就那样|能用|不好不坏|) || it is okay, nothing special
{item}(还行|一般|马马虎虎|凑合用)(,|)(给个中评|三星|没有想象中好|对得起价格|) || it is okay for the price
- (差评|给个差评|一星|零分|负分)(,|!|)({blame}|不会再买|{blame},不会再来) || one star, would not buy again
- {item}({blame}),(差评|不推荐|一星|大家别买|后悔买了) || bad, i do not recommend it
(反馈|提|给你们)(一下|个|)(建议|意见|反馈)(,|)(希望|可以)(包装好点|出新颜色|改进一下|便宜点) || i have a suggestion for your shop
(在哪|怎么)(反馈|提建议|提意见|打分) || where can i leave feedback
""",
    "payment": """
(支持|可以|能|能不能|可不可以)(用|)(花呗|微信|支付宝|信用卡|银行卡|云闪付|白条|paypal|数字人民币|apple pay|现金)(付款|支付|付|)(吗|不|么) || do you accept this payment method
(花呗|微信|支付宝|信用卡|云闪付|白条)(能|可以)(付|用|付款|支付)(吗|不) || can i pay with this
(可以|能|支持|能不能)(分期|分期付款|货到付款|对公转账|到付|先用后付|找人代付|刷卡)(吗|不|) || can i pay in instalments
(分期|免息)(怎么|几期|最多|有没有|要)(弄|分|几期|手续费|利息)(吗|) || how do instalments work
(有|支持)(哪些|什么|几种)(付款|支付)(方式|渠道) || which payment methods are there
(怎么|如何|在哪)(付款|支付|付钱|付尾款|换支付方式|绑定银行卡|改付款方式) || how do i pay
(付款|支付|付钱)(不了|失败|不成功|没反应|页面打不开)(,|)(怎么办|为什么|怎么回事|) || payment fails
- (付款|支付)(一直|老是|总是|又)(失败|报错|不成功|卡住)(,|)(搞什么|烦死|什么情况|气人) || payment keeps failing
- (钱|{money}|款)(扣|付|刷)了(两次|两遍|双份|重复)(,|)(怎么回事|赶紧退|太坑了|) || i was charged twice
- (钱|款|{money})(扣了|付了|已经扣了|转了)(,|)(订单|可是订单|怎么)(还|却|)(显示|是)(未付款|未支付|待付款|没付)(,急|) || money was taken but the order shows unpaid
(银行卡|信用卡|{card})(被拒|付不了|不能用|限额|过期)(了|)(,|)(怎么办|能换一张吗|) || my card was declined
(付款|支付)(密码|验证码|限额)(是什么|收不到|输错了|多少|忘了) || i did not receive the payment code
(尾款|定金|余款)(什么时候|怎么|在哪|几号)(付|支付|交) || when do i pay the balance
(转账|汇款|打款)(给|到)(哪个|什么|你们的)(账号|账户|卡) || which account do i transfer to
(付过|已经付|付完)(钱|款|)了(,|)(怎么|为什么)(还|)(提示|让我|显示)(付款|待支付) || i have paid already
""",
    "invoice": """
(开|开一下|开个|麻烦开|帮我开|能开|可以开|需要|要)(发票|电子发票|专票|增值税专用发票|普票|收据|发票吗) || i need an invoice
(发票|电子发票|专票)(怎么|如何|在哪|哪里|什么时候)(开|下载|申请|查|寄|补开) || how do i get an invoice
(发票|电子发票|收据|账单)(发|寄|发送)(到|给|)(我|){email}(,谢谢|) || please send the invoice to [EMAIL]
(发票|)(抬头|税号|公司名称)(写|开|填)(错|错了)(,|)(怎么改|能重开吗|帮我改|) || the company name on the invoice is wrong
(发票|)(抬头|税号)(怎么填|是什么|填什么|改成公司|开个人|开公司的) || how do i fill in the invoice title
{order}(的|)(发票|电子发票|收据)(在哪|发我|开一下|没收到|怎么下载|) || the invoice for order [ORDER]
(没|没有|还没)(收到|看到)(发票|电子发票|收据) || i have not received the invoice
({date}|上个月|上次)(的|)(账单|发票|收据|明细|对账单)(给我|发我|看看|在哪看|) || show me the bill of last month
(公司|单位|)(报销|做账|入账)(要|需要|用)(发票|收据|明细|小票|清单) || i need a receipt for my company
(发票|专票)(金额|内容|税点|明细)(不对|能改吗|怎么写|是多少|有误) || the amount on the invoice is wrong
(补开|重开|换开)(一张|)(发票|专票|收据)(可以吗|怎么弄|) || please issue the invoice again
(纸质|增值税)(发票|)(什么时候|会|能)(寄|寄吗|寄过来) || when do you send the paper invoice
""",
    "promotion": """
(优惠券|优惠码|折扣码|券|红包|代金券|满减券|抵用券)(怎么|为什么|咋|如何)(用|用不了|不能用|领|领取|没了|使用|失效了) || the discount code does not work
(有没有|有|还有|能领)(优惠|优惠券|折扣|活动|满减|券|新人券|赠品活动|红包)(吗|可以领|) || do you have a discount
(双十一|双11|618|双十二|年货节|国庆|黑五|店庆)(有|)(什么|啥|多少|几折|打几折|会)(活动|优惠|折扣|降价|力度)(吗|) || when does the sale start
(什么时候|啥时候|几号)(有活动|打折|做活动|降价|大促|搞促销) || when is the next sale
{it}(能|可以|还能|能不能)(便宜|优惠|少|打折|再便宜)(点|一点|点吗|{money})(吗|呗|不|) || can you make it cheaper
(便宜|优惠|少)(点|一点|{money})(呗|吧|行不行|我就买|可以吗) || can you give me a discount
(我|)(有|还有|查一下我的|看看)(多少|)(积分|余额|会员积分|金币|淘金币)(能换什么|怎么用|查询|) || how many points do i have
(积分|金币)(怎么|能|可以|如何)(用|兑换|换|抵现|积累|过期吗) || how do i redeem points
(怎么|如何|要怎么)(成为|加入|升级|开通)(会员|vip|超级会员|金卡会员|黑卡) || how do i become a member
(会员|vip|学生|老客户|新用户|教师|军人)(有|)(什么|啥|多少|)(优惠|折扣|权益|福利)(吗|) || is there a student discount
(满减|满赠|第二件半价|拼团|秒杀|折上折)(怎么|)(算|参加|凑单|能叠加吗|规则) || how does the offer work
(优惠券|红包|券)(过期|用错|没用上|不见)(了|)(,|)(能补吗|能退吗|怎么办|还能用吗) || my coupon has expired
(买|拍)(两件|三个|多|套餐)(有|能|会|)(优惠|打折|便宜|送什么)(吗|) || is there a discount for buying two
(礼品卡|购物卡|储值卡|充值卡)(怎么|能|在哪)(用|买|绑定|充值|查余额)(吗|) || how do i use a gift card
(分享|邀请好友|推荐朋友|签到)(有|能领|送)(什么|)(奖励|优惠券|积分|红包)(吗|) || is there a reward for inviting friends
- (优惠券|折扣码|活动价|券)(领了|)(根本|)(用不了|不能用|是骗人的)(,|)(骗人|套路|耍我吗|太坑) || the coupon does not work, you are cheating
""",
    "account": """
(忘记|忘了|想不起)(密码|登录密码|支付密码|账号|用户名)(了|)(怎么办|,怎么找回|) || i forgot my password
(怎么|如何|在哪|我要|我想|帮我)(注册|注册账号|开户|申请账号|创建账号|重新注册)(一个|) || how do i register
(怎么|如何|在哪|我要|我想|帮我)(注销|删除|关闭|停用|解除)(账号|账户|我的账号|会员账号) || how do i delete my account
(登录|登陆|登)(不上|不了|不进去|失败|异常)(了|)(,|)(怎么办|为什么|怎么回事|) || i cannot log in
- (登不上|登录不了|老是掉线|一直登录失败|密码一直不对),(试了好多次|烦死了|什么破系统|急死人) || it will not let me log in
(收不到|没收到|没有)(验证码|短信|激活邮件|验证邮件) || i do not receive the code
(账号|账户|帐号)(被|)(锁|封|冻结|盗|限制|异常)(了|)(,|)(怎么办|怎么解封|咋办|) || my account is locked
(怎么|如何|在哪|我要|帮我)(改|修改|更换|更改|换)(昵称|头像|密码|手机号|绑定手机|邮箱|个人信息|用户名|实名信息) || how do i change my profile
(绑定|账号|注册)(的|)(手机号|邮箱|手机|电话)(改成|换成|改为|换为)({phone}|{email}) || change the email of my account
(手机号|手机|号码)(换了|停用了|丢了)(,|)(怎么|还能|)(登录|换绑|解绑|改绑定)(吗|) || i have a new phone number, how do i log in
(切换|换|登录|添加)(到|)(另一个|别的|企业|子|家人的)(账号|账户) || switch to another account
(怎么|如何|可以|能)(退出|退出登录|合并账号|解绑微信|绑定微信|查看登录记录|实名认证)(吗|) || how do i log out
(找回|重置|修改)(一下|)(密码|账号|登录密码) || reset my password
(给|帮)(我妈|老婆|家人|孩子)(注册|开|办)(一个|个)(账号|账户|会员号) || open an account for my wife
(实名认证|身份验证|认证)(失败|通不过|怎么弄)(,|)(身份证|身份证号|证件号)(是|){id} || identity check fails, my id is [ID]
(身份证|证件号)(填错|写错)(了|),(应该是|改成){id} || my id number is wrong, change it to [ID]
(我的|)(资料|信息|个人资料|账户信息)(在哪|怎么|哪里)(看|改|更新|修改) || where do i edit my data
""",
    "newsletter": """
(退订|取消订阅|取消推送|关闭推送|td|TD|回复退订)(短信|邮件|广告|通知|) || unsubscribe
(不要|别|不想|请勿|停止)(再|)(给我|)(发|推送|收到)(广告|推销|营销|促销|垃圾)(短信|邮件|信息|消息|)(了|) || stop sending me marketing emails
(怎么|如何|在哪)(订阅|取消订阅|退订|关闭|开启)(上新|促销|活动|新品|)(通知|提醒|短信|邮件|推送|资讯|周刊) || how do i subscribe to news
(把|)({email}|我的邮箱|我)(加入|加到|添加到|订阅|订)(你们的|)(邮件列表|邮件|订阅|资讯|新品通知|优惠推送) || add me to your mailing list
(订阅|我要订阅|想订阅|帮我订阅)(你们的|)(新品|促销|优惠|活动|)(邮件|资讯|通知|公众号|电子报|推送) || subscribe to your newsletter
(新品|上新|降价|活动|有优惠)(了|的时候|时|)(能|可以|)(通知|提醒|告诉|发消息给)(我|)(吗|一下|) || notify me of new products
- (天天|每天|一天到晚|老是)(发|推送|收到)(广告|短信|垃圾短信|推销)(烦不烦|,烦死了|,骚扰)(,|)(取消|给我停掉|退订|别发了|) || you send ads every day, stop it
(没|没有|最近没)(收到|看到)(你们的|)(邮件|周刊|推送|活动通知|订阅邮件)(了|) || i no longer receive your weekly mail
(换|改|更换)(一个|)(接收|订阅)(邮箱|手机号)(,改成{email}|) || change my newsletter address
""",
    "contact_agent": """
(转|转接|接|找|叫|要|请转)(人工|人工客服|真人|真人客服|客服)(服务|吧|!|) || talk to a human agent
(人工|人工客服|客服|真人客服|人工服务) || human agent
(我要|我想|想|能|可以)(和|跟|找|联系)(人工|真人|客服|店家|老板|售后|你们的人|工作人员|经理)(聊|说话|沟通|谈|谈谈|)(吗|一下|) || i want to talk to a person
(有|还有)(人|客服|人工|真人)(吗|在吗|么|在不在) || is anybody there
(客服|售后|你们|店铺|官方)(的|)(电话|热线|联系方式|微信|qq|邮箱)(是|)(多少|什么|有吗|给我一下|) || what is your phone number
(怎么|如何|在哪)(联系|找)(客服|人工|你们|售后|店家|卖家) || how do i contact customer service
(打|给我打|回)(个|)(电话|){phone}(给我|联系我|找我|) || call me back on [PHONE]
(我的|)(电话|号码|手机)(是|){phone}(,|)(联系我|给我回电话|打给我|) || my number is [PHONE], call me back
(客服|人工|你们)(几点|什么时候)(上班|下班|在线|在) || when are your agents available
- (别|不要|能不能别)(再|)(用|拿)(机器人|自动回复)(敷衍|糊弄|应付)(我|人)(了|)(,|)(叫真人来|转人工|) || stop giving me a bot, i want a human
- (机器人|你|这机器)(根本|完全|)(听不懂|没用|答非所问)(,|)(给我|快|)(转人工|叫人来|找真人) || the bot is useless, get me a human
(让|叫|请)(客服|店长|经理|主管|负责人)(联系我|给我回电话|来|出来|加我微信) || let the manager contact me
(发|写)(邮件|信息)(到|给){email}(联系我|回复我) || write to me at [EMAIL]
(没人回|客服呢|人呢|在不在线)(我|啊|) || is there an agent
""",
    "business": """
(批发|团购|拿货|进货|大量采购)(什么价|价格|多少钱|怎么卖|怎么拿|优惠吗|起批) || what is the wholesale price
(我们|我)(公司|单位|学校|酒店|工厂|店里|医院)(要|想|需要|准备)(采购|订|批发|定制|买|订购){qty}{head} || our company wants to buy in bulk
(公司|企业|单位)(采购|团购|福利|年会|员工)(有|能|)(什么|)(优惠|报价|折扣|企业价|发个报价)(吗|) || is there a corporate discount
(怎么|如何|想|我要)(加盟|代理|做代理|做分销|成为经销商|合作|入驻|供货|一件代发) || how do i become a reseller
(量大|数量多|买得多|要{qty})(能|可以|有没有|)(优惠|便宜|企业价|打折|批发价|给什么价)(吗|) || is there a discount for large quantities
(起订量|起批量|最少|最低)(多少|是多少|要订多少|拿多少) || what is the minimum order quantity
{head}(上|)(能|可以)(印|刻|定制|加)(我们的|公司|)(logo|标志|名字|字|图案)(吗|,要{qty}|) || can you print our logo
(能|可以|发个|给个|要一份)(报价|报价单|批发价目表|合同|询价单|产品目录)(吗|) || please send a quote
(商务|渠道|批发|大客户|采购)(合作|)(联系谁|找谁|电话|怎么联系|对接人) || who handles business customers
(公司|企业)(月结|账期|对公|签合同|预付)(可以吗|支持吗|能吗) || can our company pay on account
(我是|我们是)(开店的|经销商|超市|餐厅|幼儿园|外贸公司|微商)(,|)(想|要)(长期|)(合作|拿货|进货|批发){head} || we are a shop and want to buy wholesale
(定制|定做|订制|代工|oem|贴牌){qty}{head}(多少钱|要多久|能做吗|报个价) || a quote for a custom order
{qty}{head}(批发|团购|企业采购|大量)(价|什么价|多少钱) || bulk price for this
""",
    "chitchat": """
(你好|您好|hi|hello|哈喽|嗨|嘿|哈罗|早|早上好|上午好|中午好|下午好|晚上好|大家好)(呀|啊|!|~|) || hello
(在吗|在不在|在么|在嘛|亲在吗|老板在吗|有空吗) || are you there
(谢谢|多谢|感谢|谢了|谢谢你|3q|thx|谢谢啦|非常感谢|麻烦你了)(!|~|啦|) || thank you
+ (谢谢|太感谢了|多谢)(,|)(你|您|客服|服务)(真|太|很|特别)(好|贴心|耐心|棒|热情)(了|) || thank you, you are so kind
+ (太好了|太棒了|真不错|爱你|赞|厉害|完美|棒棒哒|么么哒|给你点赞)(,谢谢|,辛苦了|!|~|) || great, thanks
(好的|好|嗯|嗯嗯|哦|ok|行|可以|知道了|明白了|了解|收到|没问题|没事|不用了|不是|对|是的|没有了)(,谢谢|啦|,|)(再见|) || ok
(再见|拜拜|拜|88|下次见|晚安|回头聊|先这样|走了) || goodbye
(你|您)(是|)(谁|叫什么|机器人吗|真人吗|ai吗|几岁了|吃饭了吗|在干嘛|会聊天吗|累不累) || are you a robot
(辛苦|辛苦了|打扰了|不好意思|抱歉|对不起|没关系|不客气|别客气)(啊|呀|) || sorry
(祝|祝你|祝您)(生意兴隆|新年快乐|生活愉快|周末愉快|天天开心|一切顺利) || have a nice day
(哈哈|哈哈哈|呵呵|嘿嘿|额|呃|emmm|嘻嘻|哇) || haha
(我考虑一下|我再看看|等一下|稍等|我想想|随便看看|先不用) || let me think about it
- (你|你们)(真|太)(笨|蠢|没用|无聊|烦)(了|,滚|) || you are no help
(有没有|能|可以)(问|请教)(你|)(一个|个|)(问题|事)(吗|) || may i ask a question
""",
}
"""Intent → its templates, one a line."""

FRUSTRATED: Final = (
    "气死我了", "太过分了", "烦死了", "无语", "什么情况啊", "真是服了", "太坑了", "急死人了", "受够了", "太失望了", "搞什么", "垃圾",
    "没见过这样的", "再也不来了", "等得花儿都谢了", "真的很生气", "你们怎么回事", "太不负责任了", "我很不满意", "恶心", "坑人呢", "呵呵真行",
)  # fmt: skip
PLEASED: Final = (
    "谢谢你们", "你们家真好", "一直很喜欢你们店", "服务真好", "上次买的特别满意", "爱了爱了", "好评", "你们太贴心了", "质量一直很好", "超级喜欢",
    "老顾客了很信任你们", "太棒了", "真心不错", "辛苦啦爱你们",
)  # fmt: skip
POLITE: Final = (
    "你好", "您好", "请问", "亲", "麻烦了", "谢谢", "请问一下", "想问下", "打扰一下", "不好意思", "老板", "客服", "在吗", "问一下", "帮个忙", "亲亲", "咨询一下",
)  # fmt: skip
