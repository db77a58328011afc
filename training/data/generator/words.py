# ruff: noqa: E501 - lists of words and templates read better one a line
"""Words for slots: our own lists, widened by the annotated spans of a training set."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from training.data.examples import Example

_LISTS: dict[str, str] = {
    "core_product_type": (
        "shoes,sneakers,boots,sandals,slippers,dress,skirt,jeans,trousers,shirt,t-shirt,blouse,"
        "jacket,coat,hoodie,sweater,cardigan,socks,gloves,scarf,hat,cap,belt,wallet,handbag,bag,"
        "backpack,suitcase,watch,ring,necklace,earrings,bracelet,sunglasses,umbrella,phone,"
        "phone case,charger,cable,headphones,earbuds,speaker,laptop,tablet,monitor,keyboard,mouse,"
        "printer,camera,tripod,tv,remote,router,lamp,desk,chair,office chair,sofa,table,"
        "coffee table,shelf,bookcase,bed,mattress,pillow,duvet cover,blanket,curtains,rug,mirror,"
        "vase,clock,candle,picture frame,pan,frying pan,pot,kettle,toaster,blender,coffee maker,"
        "air fryer,microwave,knife set,cutting board,plates,mugs,glasses,water bottle,lunch box,"
        "vacuum cleaner,iron,fan,heater,drill,screwdriver,hammer,saw,ladder,tool box,paint,hose,"
        "lawn mower,grill,tent,sleeping bag,bike,helmet,yoga mat,dumbbells,football,tennis racket,"
        "skateboard,toy,doll,puzzle,board game,lego set,stroller,car seat,diapers,dog food,cat tree,"
        "aquarium,shampoo,perfume,lipstick,moisturizer,sunscreen,toothbrush,razor,book,notebook,pen,"
        "clothes,clothing,fridge,freezer,washing machine,dishwasher,oven,bathrobe,towel,swimsuit,"
        "leggings,pajamas,bra,underwear,tie,suit,cushion,bench,wardrobe,drawer,basket,bucket,tray"
    ),
    "product_name": (
        "iphone 15,iphone 14 pro,galaxy s22,galaxy tab a9,pixel 8,macbook air,macbook pro,airpods,"
        "airpods pro,ipad mini,kindle,switch,playstation 5,xbox series x,echo dot,fire stick,"
        "apple watch,thinkpad x1,surface pro,gopro hero 12,air max 90,air force 1,stan smith,501,"
        "roomba,instant pot,thermomix,harry potter,the hobbit,monopoly,uno"
    ),
    "creator": (
        "nike,adidas,puma,reebok,asics,new balance,levi's,zara,gucci,ray ban,casio,fossil,samsung,"
        "apple,sony,lg,philips,bosch,dewalt,makita,black and decker,dyson,shark,hoover,miele,ikea,"
        "ninja,kitchenaid,tefal,pyrex,oxo,thermos,hydro flask,yeti,coleman,north face,columbia,"
        "patagonia,under armour,skechers,crocs,timberland,dr martens,hp,dell,lenovo,asus,logitech,"
        "canon,nikon,fujifilm,jbl,bose,anker,lego,mattel,hasbro,fisher price,graco,pampers,purina,"
        "nivea,dove,loreal,maybelline,gillette,oral b,moleskine,stabilo"
    ),
    "color": (
        "red,blue,green,yellow,black,white,grey,gray,pink,purple,orange,brown,beige,navy,navy blue,"
        "dark green,light blue,rose gold,gold,silver,turquoise,teal,burgundy,maroon,cream,ivory,khaki,"
        "olive,coral,mint,lavender,charcoal,bronze,copper,multicolor,royal blue,hot pink,off white"
    ),
    "material": (
        "leather,cotton,wool,silk,linen,denim,velvet,suede,polyester,cashmere,bamboo,wood,wooden,oak,"
        "pine,walnut,metal,steel,stainless steel,aluminum,brass,glass,ceramic,porcelain,marble,"
        "plastic,rubber,silicone,cast iron,canvas,fleece,faux fur,rattan,wicker,concrete,titanium"
    ),
    "UoM": (
        "size 7,size 8,size 9.5,size 42,size m,large,small,medium,xl,xxl,extra large,10 inch,15.6 inch,"
        "32 inch,55 inch,6 ft,2 meters,500 ml,1 liter,16 oz,20 oz,5 lb,10 kg,2 gallon,king size,"
        "queen size,twin,64gb,128gb,256gb,1tb,5x7,8x10,18mm,3/8 inch,12v,60w,100 watt,20000mah"
    ),
    "price": (
        "under $50,under 50 dollars,under 100,below $20,less than 30 dollars,up to 200 euros,"
        "between 20 and 40 dollars,around $100,cheaper than 500,cheap,$25,over 1000 dollars"
    ),
    "quantity": "pack of 2,pack of 12,set of 4,set of 6,2 pack,24 count,a pair of,dozen,100 pieces,bulk",
    "condition": "new,used,second hand,refurbished,vintage,renewed,pre owned,antique,open box",
    "shape": "round,square,oval,slim,flat,long,short,wide,skinny,tall,v neck,rectangular,curved,high waisted",
    "department": (
        "men,women,mens,womens,kids,boys,girls,baby,toddler,unisex,for men,adults,teen girls,babies,"
        "my son,my daughter,my husband,dogs,cats,seniors,plus size women"
    ),
    "occasion": "wedding,birthday,christmas,halloween,easter,graduation,valentines day,summer,winter,party,baby shower,beach",
    "content": "dinosaur,star wars,unicorn,floral,space,superhero,batman,pokemon,butterfly,map,mickey mouse,skull",
    "modifier": (
        "waterproof,wireless,portable,foldable,adjustable,rechargeable,heavy duty,organic,gluten free,"
        "vegan,noise cancelling,bluetooth,electric,cordless,smart,outdoor,ergonomic,lightweight,soft,"
        "thick,non slip,breathable,insulated,usb c,4k,gaming,running,hiking,sleeveless,with pockets"
    ),
    "origin": "italian,german,japanese,made in usa,french,korean,swiss,mexican,indian",
    "time": "2023,2024,90s,1980s,new 2022,victorian",
    "product_number": "wh-1000xm5,dcd777c2,lf8,b00545,ue32t4300,frs20qrb,mx500,7890x",
}

_SERVICE: dict[str, str] = {
    "month": "january,february,march,april,may,june,july,august,september,october,november,december",
    "day": "monday,tuesday,wednesday,thursday,friday,saturday,sunday",
    "place": (
        "london,paris,berlin,madrid,new york,texas,california,canada,germany,france,spain,italy,ireland,"
        "japan,australia,brazil,mexico,india,china,sweden,switzerland,poland,alaska,hawaii,chicago,"
        "boston,seattle,manchester,dublin,amsterdam,lisbon,toronto,sydney,the uk,the netherlands,"
        "germany and austria,my office,puerto rico,oslo,vienna,prague"
    ),
}


class Words:
    """Gives words of an entity type, half of them from our lists and half from real spans.

    Args:
        examples: whose spans are the real ones.
        more: words to add to our lists, for each entity type.
    """

    def __init__(
        self, examples: Iterable[Example] = (), more: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        more = more or {}
        self._own = {
            name: (*words.split(","), *more.get(name, ())) for name, words in _LISTS.items()
        }
        self._service = {name: tuple(words.split(",")) for name, words in _SERVICE.items()}
        seen: defaultdict[str, list[str]] = defaultdict(list)
        for example in examples:
            for span in example.spans or ():
                text = example.text[span.start : span.end]
                if not set("[]()") & set(text):
                    seen[span.type].append(text)
        self._seen: Mapping[str, list[str]] = seen

    def of(self, type_: str, chance: random.Random) -> str:
        """Words of an entity type of a product query."""
        seen = self._seen.get(type_)
        if seen and chance.random() < 0.5:
            return chance.choice(seen)
        return chance.choice(self._own[type_])

    def plain(self, name: str, chance: random.Random) -> str:
        """A month, a day of the week or a place."""
        return chance.choice(self._service[name])

    def date(self, chance: random.Random) -> str:
        """A date as people write it in a message."""
        month, day = self.plain("month", chance), self.plain("day", chance)
        number = chance.randint(1, 28)
        forms = (
            f"{month} {number}", f"{number} {month}", f"{number}/{chance.randint(1, 12)}",
            f"2026-{chance.randint(1, 12):02}-{number:02}", f"last {day}", f"next {day}", day,
            "yesterday", "today", "tomorrow", "last week", "this morning", f"the {number}th",
            f"{chance.randint(2, 20)} days ago", "two weeks ago", "last month", f"before {day}",
            "this weekend", f"on {day}".removeprefix("on "),
        )  # fmt: skip
        return chance.choice(forms)

    def money(self, chance: random.Random) -> str:
        """A sum of money."""
        amount = chance.choice((chance.randint(2, 400), round(chance.uniform(2, 200), 2)))
        form = chance.choice(("${}", "{} dollars", "{} euros", "€{}", "£{}", "{} usd", "{} pounds"))
        return form.format(amount)
