# ruff: noqa: E501 - lists of words read better one a line
"""More words for slots, for what trains only: the grammar that measures keeps to the shorter lists."""

_SIZES = (1, 2, 4, 6, 8, 9, 10, 11, 12, 14, 16, 18, 20, 24, 28, 30, 36, 40, 48, 50, 60, 72)
_SUMS = (10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 75, 80, 90, 100, 120, 150, 200, 250, 300, 500, 750)

_LISTS: dict[str, str] = {
    "core_product_type": (
        "running shoes,loafers,clogs,high heels,flip flops,ankle boots,rain boots,polo shirt,tank top,crop top,jumpsuit,"
        "romper,overalls,shorts,cargo pants,chinos,sweatpants,vest,parka,raincoat,windbreaker,poncho,kimono,apron,"
        "bow tie,cufflinks,beanie,headband,mittens,tights,stockings,thermal underwear,bikini,swim trunks,nightgown,"
        "tote bag,duffel bag,laptop bag,clutch,fanny pack,passport holder,luggage tag,key ring,pendant,anklet,brooch,"
        "nose ring,smartwatch,fitness tracker,power bank,usb stick,hard drive,memory card,graphics card,webcam,"
        "microphone,turntable,soundbar,projector,game controller,docking station,screen protector,phone holder,"
        "extension cord,light bulb,ceiling light,floor lamp,night light,string lights,chandelier,nightstand,dresser,"
        "bunk bed,bar stool,recliner,ottoman,dining table,side table,tv stand,shoe rack,coat rack,bath mat,"
        "shower curtain,bed sheets,quilt,pillowcase,tablecloth,napkins,placemats,door mat,wallpaper,wall art,poster,"
        "photo album,plant pot,watering can,bird feeder,garden hose,rake,shovel,wheelbarrow,pruning shears,hammock,"
        "parasol,patio heater,wok,saucepan,casserole dish,baking tray,rolling pin,measuring cups,mixing bowl,colander,"
        "can opener,corkscrew,wine glasses,teapot,thermos flask,rice cooker,slow cooker,juicer,food processor,"
        "stand mixer,waffle maker,espresso machine,spice rack,bread box,trash can,mop,broom,laundry basket,"
        "ironing board,drying rack,space heater,humidifier,air purifier,dehumidifier,thermostat,doorbell,padlock,"
        "smoke detector,flashlight,wrench,pliers,tape measure,sander,chainsaw,paint brush,wood glue,screws,sandpaper,"
        "car cover,floor mats,dash cam,wiper blades,jump starter,bike lock,bike rack,scooter,roller skates,kayak,"
        "surfboard,snowboard,ski goggles,fishing rod,camping stove,cooler,binoculars,basketball,golf balls,"
        "resistance bands,kettlebell,treadmill,exercise bike,jump rope,swimming goggles,baby monitor,high chair,crib,"
        "pacifier,baby bottle,play mat,toy car,train set,building blocks,stuffed animal,dollhouse,water gun,kite,"
        "card game,coloring book,crayons,markers,sketchbook,stapler,planner,calendar,envelopes,printer paper,ink,"
        "cat litter,dog bed,dog leash,hamster cage,fish tank filter,hair dryer,straightener,curling iron,hairbrush,"
        "shaving cream,nail polish,mascara,foundation,face mask,hand soap,body lotion,deodorant,bath bombs,vitamins,"
        "protein powder,green tea,coffee beans,olive oil,chocolate,honey,novel,cookbook,dictionary,guitar,ukulele,"
        "drum set,piano bench,violin strings,sewing machine,yarn,fabric,beads,costume,wig,balloons,gift wrap,candles"
    ),
    "product_name": (
        "iphone 13 mini,iphone 16,galaxy s24 ultra,galaxy watch 6,galaxy buds,pixel 7a,pixel watch,ipad air,ipad pro 11,"
        "imac,surface go,chromebook,playstation 4,nintendo switch oled,steam deck,quest 3,kindle paperwhite,echo show,"
        "chromecast,apple pencil,airtag,magic mouse,mx master,gopro hero 9,roomba i7,v11,aeropress,nutribullet,"
        "air jordan 1,chuck taylor,old skool,ultraboost,gel kayano,501 original,trench classic,catan,scrabble,"
        "the lord of the rings,dune,pride and prejudice,mario kart,zelda,minecraft,corolla,civic,f150,golf 7"
    ),
    "creator": (
        "converse,vans,fila,hoka,brooks,salomon,merrell,ecco,clarks,birkenstock,uniqlo,mango,gap,hanes,calvin klein,"
        "tommy hilfiger,lacoste,diesel,carhartt,dickies,swatch,garmin,fitbit,xiaomi,huawei,motorola,nokia,google,"
        "microsoft,acer,msi,razer,corsair,epson,brother,panasonic,sennheiser,marshall,sonos,beats,belkin,sandisk,"
        "seagate,kingston,whirlpool,delonghi,krups,cuisinart,lodge,le creuset,rubbermaid,tupperware,stanley,milwaukee,"
        "ryobi,karcher,gardena,weber,osprey,deuter,wilson,spalding,speedo,chicco,joie,ravensburger,playmobil,crayola,"
        "faber castell,pilot,royal canin,kong,olay,cerave,garnier,neutrogena,braun,remington,revlon,norvik,halden,"
        "brightfold,tarrowby,kestrel & co,lumenza,ostrava home,fernhill,pinecrest,zephyra,moorland,velora,quillon,"
        "arcadon,bluefinch,sundown supply,ironvale,mapleton,nordby,caldera"
    ),
    "color": (
        "dark blue,light grey,dark grey,light pink,dark red,light brown,dark brown,forest green,emerald green,sage green,"
        "lime,lime green,mustard,mustard yellow,peach,salmon,magenta,fuchsia,violet,lilac,plum,wine red,rust,tan,camel,"
        "taupe,sand,chocolate brown,black and white,red and black,blue and white,jet black,space grey,midnight blue,"
        "sky blue,baby blue,aqua,cyan,indigo,crimson,scarlet,pastel pink,neon green,neon yellow,transparent,clear,"
        "champagne,pearl white,matte black,nude,blush,anthracite,petrol"
    ),
    "material": (
        "faux leather,vegan leather,genuine leather,merino wool,organic cotton,corduroy,satin,chiffon,lace,mesh,nylon,"
        "spandex,lycra,tweed,felt,jute,hemp,microfiber,memory foam,down,sherpa,terry,flannel,jersey,crystal,pearl,jade,"
        "sterling silver,14k gold,copper plated,chrome,iron,carbon fiber,granite,slate,terracotta,stoneware,enamel,acrylic,"
        "vinyl,pvc,foam,cork,teak,mahogany,acacia,beech,birch,maple,plywood,mdf,wrought iron,tempered glass,cardboard,paper"
    ),
    "UoM": (
        "s,m,l,xs,xl,3xl,size s,size l,size xl,eu 42,uk 9,us 8,size 10 wide,w32 l34,32x34,34 waist,36b,4t,12 months,3-6 months,one size,"
        "full size,king,queen,single,double,a4,a5,2 seater,3 seater,6 quart,1.7 l,500gb,2tb,16gb,4k 55 inch,120x60 cm,8x10 ft,24v,5000 btu,30 feet,mini,xxxl"
    ),
    "price": "on sale,budget,affordable,inexpensive,between 50 and 80,from 10 to 20 dollars,$15-$25,at most 60 dollars,over $200",
    "quantity": "pack of 3,pack of 5,pack of 6,pack of 10,pack of 24,set of 2,set of 3,set of 8,set of 12,3 pack,4 pack,6 pack,10 pack,50 count,100 count,2 pcs,5 pcs,10 pieces,box of 20,case of 12,pair of,two,three,four,multipack,single",
    "condition": "brand new,like new,pre-owned,secondhand,preloved,gently used,reconditioned,unused,sealed,factory sealed,broken in,retro",
    "shape": "rectangle,triangular,heart shaped,l shaped,hexagon,narrow,straight leg,bootcut,cropped,a line,crew neck,pointed toe,ankle length,knee length,low,deep,mid rise,oversized,fitted,thin,slim fit,tapered,cylindrical",
    "department": "men's,women's,kid's,ladies,girl,boy,newborn,infant,teens,teenagers,children,my wife,my dad,my mom,my girlfriend,my boyfriend,my grandmother,my brother,my sister,puppies,kittens,big dogs,horses,beginners,tall men,petite,maternity,for women,for kids,for toddlers",
    "occasion": "anniversary,mothers day,fathers day,prom,thanksgiving,new year,bachelorette party,housewarming,retirement,back to school,office,work,travel,camping,gym,everyday,date night,funeral,festival,school,picnic,spring,autumn,bridesmaid,interview,holiday",
    "content": "flowers,stripes,polka dots,leopard print,camouflage,stars,hearts,sunflower,roses,palm trees,mountains,cats,dogs,horse,tiger,dragon,frog,mushroom,pirate,princess,mermaid,football club,spiderman,frozen,hello kitty,snoopy,world map,initials,quote,abstract,geometric,plaid,checkered,paisley,tie dye,animal print",
    "modifier": "water resistant,windproof,fireproof,anti slip,stainless,dishwasher safe,machine washable,hypoallergenic,sugar free,fragrance free,dairy free,decaf,solar powered,battery operated,usb,wifi,dimmable,touch screen,mechanical,manual,automatic,digital,analog,magnetic,inflatable,stackable,collapsible,extendable,reversible,padded,quilted,lined,hooded,long sleeve,short sleeve,backless,strapless,open toe,steel toe,slip on,lace up,memory,orthopedic,compression,thermal,quiet,silent,fast charging,wall mounted,freestanding,handheld,indoor,travel,training,trail,cycling,casual,formal,boho,minimalist,modern,rustic,industrial,handmade,personalized,engraved,kids safe,double sided,multi purpose,comfortable,sturdy,fluffy,with lid,with wheels,with storage,with hood,with zipper,with handle,without sugar",
    "origin": "american,british,scandinavian,turkish,moroccan,spanish,chinese,danish,made in italy,made in germany,swedish,irish,brazilian,thai,greek,made in japan,persian",
    "time": "2020,2021,2022,2025,60s,70s,80s,1950s,1920s,edwardian,mid century,y2k,fall 2023,2018",
    "product_number": "dch-820,kx-tg684,a1706,sm-r870,te53b,rx100,hk-4410,1606x,fz45,p2055dn,dvx-90,cn05,b07xyz,mx-20b,t480s,ht-s20r,ge3300,wf-c700n",
}  # fmt: skip
_FORMED: dict[str, tuple[str, ...]] = {
    "UoM": (
        *(f"size {n}" for n in (4, 5, 6, 9, 10, 11, 12, 13, 14, 16, 36, 38, 40, 44)), *(f"{n} inch" for n in _SIZES),
        *(f"{n} cm" for n in (20, 30, 40, 60, 90, 120, 140, 160, 180)), *(f"{n} ft" for n in (3, 4, 5, 8, 10, 12)),
        *(f"{n}ml" for n in (50, 100, 250, 350, 750)), *(f"{n} oz" for n in (4, 8, 12, 32, 64)), *(f"{n} kg" for n in (1, 2, 4, 8, 20)),
        *(f"{n}w" for n in (20, 40, 65, 800, 1500)), *(f"{n} lbs" for n in (2, 10, 25, 50)), *(f"{n} mm" for n in (8, 10, 22, 50)),
    ),
    "price": tuple(
        form.format(n) for n in _SUMS for form in ("under ${}", "below {} dollars", "max {} euros", "${}", "less than £{}", "up to ${}")
    ),
}  # fmt: skip

MORE: dict[str, tuple[str, ...]] = {
    name: (*words.split(","), *_FORMED.get(name, ())) for name, words in _LISTS.items()
}
"""Entity type → words."""
