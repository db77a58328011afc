# ruff: noqa: E501 - lists of words and templates read better one a line
"""Short public posts on anything under the sun, with a feeling or without one.

Shoppers write of more than shops, and sentiment learnt from shop talk alone takes topics for
feelings. So the same topics stand in all three classes here: plans, news and questions without a
feeling, and joy, praise, anger, worry, grief, irony and mixed feelings about the same things.
"""

from typing import Final

SLOTS: Final[dict[str, str]] = {
    "who": (
        "my mom,my dad,my sister,my brother,my boss,my roommate,my neighbor,my ex,the coach,the mayor,the senator,"
        "the president,the minister,the keeper,the striker,the drummer,the singer,the host,the judge,the teacher,"
        "my professor,the kids,my best friend,our captain,grandma,that actor,the director,the referee,the pilot,jess,"
        "tom,anna,mike,sarah,dave,the new guy,the whole team,everyone here,these people,the doctor,the nurse,he,she,they"
    ),
    "team": "the lakers,the bears,arsenal,chelsea,the giants,the tigers,liverpool,the eagles,barcelona,the rangers,the sox,my team,our boys,the hawks,united",
    "show": "the finale,the new season,the concert,the movie,the match,the debate,the game,the new album,the trailer,the premiere,the interview,season 3,the last episode,the race,the podcast,the festival,the awards,the parade,the exhibition,the play,that song,the book,the documentary,the tour,the fight,the speech",
    "topic": "the election,the new law,taxes,the traffic,the weather,gas prices,my exam,the meeting,homework,work,school,the trip,my flight,the wedding,the party,the weekend,summer,the holidays,the news,the update,the new phone,the internet,my car,the train,the bus,the budget,the strike,the border talks,climate change,the economy,the draft,the transfer,the schedule,the vote,immigration,the lockdown,football,politics,my hair,this city",
    "place": "london,chicago,the stadium,downtown,the airport,the mall,paris,the office,church,the gym,school,the beach,brooklyn,texas,the library,seattle,dublin,the studio,home,vegas,the park,toronto,the arena,the hospital,berlin,the museum,ohio",
    "day": "monday,tuesday,wednesday,thursday,friday,saturday,sunday,tomorrow,tonight,today,this weekend,next week,on the 5th,in may,next month,this afternoon,at 7pm,on the 21st,this morning,this summer,in october",
    "food": "pizza,coffee,tacos,sushi,pancakes,ice cream,the burger,breakfast,dinner,lunch,the salad,wings,tea,beer,ramen,brunch,the cake,chocolate,bbq,the soup,mac and cheese",
    "thing": "phone,laptop,car,app,jacket,shoes,camera,game,playlist,account,video,picture,ticket,house,bike,guitar,blog,package,website,dress,job,dog,cat,room,haircut,tattoo,watch,console,tv,bag",
    "number": "2,3,4,5,7,10,12,15,20,100,50,1000,two,three,five,a dozen,a million",
    "good": (
        "amazing,great,awesome,fantastic,wonderful,beautiful,brilliant,lovely,incredible,perfect,gorgeous,stunning,"
        "hilarious,so much fun,so good,a masterpiece,legendary,epic,magical,inspiring,super cute,adorable,delicious,"
        "sweet,a blast,a dream come true,on fire,dope,lit,phenomenal,excellent,impressive,charming,refreshing,heartwarming,"
        "my favorite,the best,the coolest,pure joy,underrated,spot on,a legend,unreal,top class,well deserved,a treat,nice,cool"
    ),
    "bad": (
        "terrible,awful,horrible,disgusting,the worst,pathetic,a disgrace,embarrassing,a mess,disappointing,boring,"
        "overrated,trash,garbage,ridiculous,stupid,annoying,depressing,scary,heartbreaking,sad,tragic,sick,shameful,"
        "unfair,a joke,a nightmare,painful,dumb,hopeless,useless,corrupt,dangerous,outrageous,creepy,cringe,a disaster,"
        "so bad,ugly,rotten,insulting,clueless,racist,toxic,a waste of time,infuriating,evil,weak,lame,gross,unbearable,a scam"
    ),
    "verb": "watch,see,hear,visit,try,meet,read,eat,play,book,wear,join,leave for,talk about,go to",
    "link": "http://t.co/xyz,https://t.co/ab12,via @user,(link in bio),rt @user:,cc @user,@user,#news,#live,,,,",
    "laugh": "lol,haha,hahaha,lmao,hehe,😂,😂😂,xd",
    "joy": ":),:-),:D,<3,❤️,😍,😊,🎉,🙌,💕,😁,🥰,👏,xoxo,yay,woohoo,woo,yes!!,🔥,👍,😘,💪",
    "woe": ":(,:-(,:'(,😢,😭,😡,😠,💔,😤,🙄,😒,smh,ugh,wtf,👎,😞,🤬,😩,sigh,argh,boo,🤮",
    "curse": "damn,hell,crap,wtf,for god's sake,omg,jesus,seriously,come on,wow,oh no,ffs",
    "goodtag": "#blessed,#love,#happy,#winning,#bestdayever,#grateful,#tgif,#proud,#excited,#yum,#goals,#feelgood,#legend,#cantwait",
    "badtag": "#fail,#sad,#angry,#worst,#over it,#shame,#nothappy,#epicfail,#rip,#heartbroken,#fedup,#monday blues,#disgusted,#mad,#tired,#boycott",
    "tag": "#monday,#nba,#news,#music,#nowplaying,#travel,#election,#football,#tech,#jobs,#fashion,#friday,#weather,#food,#tv,#health,#startup,#throwback,#photography,#marketing",
}  # fmt: skip

TEMPLATES: Final[dict[str, tuple[str, ...]]] = {
    "positive": (
        "(so|super|really|beyond|too) (excited|happy|pumped|stoked|hyped|thrilled|ready) (for|about) {show} {day}(!|!!| {joy}|)",
        "(can't wait|cannot wait|counting the days|couldn't be happier) (for|to {verb}) {show} {day}(!|!!| {joy}|)",
        "(i|we) can't wait (to {verb} {show}|for {day}|until {day}|to see {who})(!|!!| {joy}|)",
        "(looking forward to|hyped for|here for) {show} {day}(!| with {who}| {joy}|)",
        "happy (birthday|anniversary|bday|new year|thanksgiving|easter|mother's day|father's day|{day}) (to {who}|to my favorite {thing} owner|everyone|y'all|my love)(!|!!| {joy}| hope it's {good}|)",
        "good (morning|night|luck) (everyone|world|{place}|to {team}|to {who}|)(!| {joy}| have a (great|blessed|good) day)",
        "(congrats|congratulations|well done|way to go|props|kudos|hats off) (to {who}|to {team}|{team}|on {show}) (!|!!|, so proud| {joy}|you deserve it|)",
        "{team} (won|did it|killed it|smashed it|are champions|made it to the final)(!|!!!| {joy}|, what a (game|night|team))",
        "what a (win|goal|night|game|performance|comeback|day|catch|voice|show|view)(!|!!| {joy}| by {team}| from {who})",
        "{show} (was|is|is going to be|will be|is gonna be) {good}(!|!!| {joy}| {goodtag}|)",
        "{show} (was|is) {good} and {good}(!| {joy}|)", "{who} (is|are|was|looked|looks|sounds) {good} (in {show}|{day}|)(!| {joy}|)",
        "(i|we) (love|loved|adore|freaking love|absolutely love|am obsessed with|am in love with|still love) {show}(!|!!| {joy}| so much|)",
        "(i|we) (love|adore|miss and love|really like) {who} (so much|more than anything|)(!| {joy}|)",
        "(best|greatest|coolest|sweetest|funniest) {thing} (ever|of all time|in the world|i've seen all year)(!|!!| {joy}|)",
        "(just|finally) (got|bought|found|won|finished|passed|booked) (my|a|the) (new|) {thing} (and i love it|{joy}|, so happy|!!|yay|, it's {good})",
        "{food} (with {who}|at {place}|for breakfast|{day}) (is|was) {good}(!| {joy}|)", "nothing (beats|better than) {food} (with {who}|at {place}|on a {day})( {joy}|)",
        "had (the best|an amazing|a great|such a good|a wonderful|a lovely) (time|day|night|weekend|trip|dinner) (at {place}|with {who}|in {place})(!| {joy}|)",
        "thank you (so much|) {who} for (the {thing}|coming|everything|the follow|your support|making my day)(!| {joy}|)", "thanks (for the follow|for sharing|for the love|a million|guys)(!| {joy}|)",
        "{who} (made my day|made me smile|cheered me up|is the sweetest|is my hero|is my inspiration)( {joy}|!|)",
        "(feeling|i feel) (blessed|grateful|so good|great|amazing|proud|loved|lucky|on top of the world) ({day}|about {topic}|)( {joy}| {goodtag}|!)",
        "(proud|so proud) of {who}(!| {joy}| for {show}|, you did {good})", "{goodtag} {show} {day}", "{show} {day} {joy}", "{show} {day} {goodtag}", "{topic} {joy}",
        "(yes|yay|woohoo|omg yes|finally)(!|!!|,) {show} (is out|is here|starts|is back) {day}(!| {joy}|)",
        "{laugh} {who} (is|was) (so funny|hilarious|cracking me up|too cute)", "{laugh} (this|that) {thing} (is|was) (so funny|hilarious|everything)",
        "not gonna lie, {show} (was|is) {good}", "(i must say|gotta say|i have to admit) {show} (was|is) (pretty|really|) {good}", "never thought i'd say this but {topic} is {good}",
        "wish i was at {place} (again|), it was {good}", "(hope|hoping) (everyone|you all|{who}) (has|have) a (great|wonderful|safe|blessed) {day}(!| {joy}|)",
        "{who} (deserves|deserve) (all the love|an award|the win|a raise|the world)(!| {joy}|)", "{team} all the way(!| {joy}|)", "go {team}(!|!!| {joy}|, let's go)", "let's go {team}(!|!!| {joy}|)",
        "{day} (is going to be|will be|is gonna be) (amazing|great|fun|epic|lit|so good|the best)(!| {joy}|)", "only {number} days (until|till|to) {show}(!| {joy}|, so excited)", "(great|good|awesome|fantastic) (job|work|news|read|article|video|show|stuff) {who}(!| {joy}|)",
        "{show} with {who} {day}, (it doesn't get better than this|life is good|perfect day|so much fun) {joy}", "(i may be|maybe i'm) biased but {team} (is|are) {good}", "everybody (should|must|needs to) {verb} {show}, it's {good}",
        "{who} is (back|home|safe|engaged|getting married)(!| {joy}|, so happy)", "(you|u) (rock|are the best|are amazing|make me smile|look beautiful) {who}(!| {joy}|)", "thank god (it's {day}|{topic} is over|for {food}|for {who})( {joy}|)",
        "so glad {topic} is (over|done|finally sorted|behind me)(!| {joy}|)", "{show}? (yes please|count me in|i'm in|take my money)(!| {joy}|)", "my {thing} is (so cute|perfect|the cutest|finally fixed) {joy}", "i'm in {place}, (so beautiful|it's gorgeous|i never want to leave)( {joy}|)",
    ),
    "negative": (
        "(i|we) (hate|can't stand|despise|am sick of|am so over|am fed up with|am tired of|dread) {topic}(!| {woe}| {badtag}|)",
        "{topic} (is|was|are|makes me|is making me) (so|really|) (sick|mad|angry|sad|depressed|nervous|anxious)( {woe}|)",
        "{topic} (is|was) {bad}( {woe}| {badtag}|!|)", "{show} (was|is) {bad}( {woe}| {badtag}|!|)", "{show} (was|is) {bad} and {bad}( {woe}|)", "{who} (is|was|are) {bad}( {woe}| {badtag}|!|)",
        "(this|that) {thing} (is|was) {bad}( {woe}|)", "(why|how) (is|are|do|does) {who} (always|still|so) (late|{bad}|lying|acting like this|on my nerves)(?|??| {woe})",
        "{team} (lost|lost again|blew it|choked|got robbed|are out|played like (garbage|amateurs))( {woe}| {badtag}|!|, unbelievable)",
        "(worst|dumbest|saddest|ugliest|most boring) (day|game|{thing}|call|movie|show|night|year) (ever|of my life|in history)( {woe}|!|)",
        "can't believe (they|{who}) (cancelled|ruined|lost|fired|left|traded|killed|lied about) ({show}|{who}|us)( {woe}|!|)", "{show} (got|was|has been) (cancelled|postponed again|ruined|spoiled|sold out)( {woe}|, so (sad|angry|upset)|)",
        "(rip|rest in peace) {who}( {woe}|, gone too soon|, so sad)", "(so|very|really) (sad|sorry|heartbroken|shocked) (to hear about|about|for) {who}( {woe}|)",
        "{number} (people|civilians|workers|kids) (killed|dead|injured|hurt|arrested|shot) (in|near) {place} {day}( {woe}|, heartbreaking|)", "(attack|shooting|crash|fire|bombing|explosion) (in|near|at) {place}( {day}|), (how awful|prayers needed|so scary|people are dead|when will it stop)",
        "{who} should (resign|be fired|be ashamed|be in jail|shut up|go away|apologize)(!| {woe}|)", "(shame on|screw|to hell with|boo) {who}(!| {woe}| {badtag}|)", "{who} (lied|is lying|doesn't care|has no clue|failed us|let us down|is a liar|is a coward)( again| {woe}|)",
        "(i don't|i do not|nobody|we don't) (trust|believe|like|want|care about) {who} (anymore|at all|)( {woe}|)", "(stuck|still stuck|stranded) (in|at) {place} (because of {topic}|for {number} hours|)( {woe}|)",
        "{topic} (ruined|is ruining|killed) my ({day}|mood|life|weekend|night)( {woe}|)", "my {thing} (broke|died|got stolen|crashed|is dead|is gone|won't work)( {woe}|, great|)", "lost my {thing} (at {place}|{day})( {woe}|, just my luck)",
        "(feeling|i feel) (sick|awful|terrible|so alone|down|depressed|exhausted|like crap|lost|empty) ({day}|)( {woe}|)", "(i'm|im|i am) (so|) (tired|bored|stressed|broke|sad|mad|angry|done|upset|disappointed|hungover) ({day}|with {topic}|with {who}|)( {woe}|)",
        "(i|we) (miss|really miss|can't stop missing) {who}( so much|) {woe}", "no {food} (left|at {place}|for me)( {woe}|)", "{food} at {place} (was|is) {bad}( {woe}|, never again)", "(headache|fever|toothache|flu|insomnia) {day}( {woe}|)",
        "wish i (could|was able to) (go to|{verb}) {show} but {topic}( {woe}|)", "i wanted to {verb} {show} (but|and) {who} (ruined it|said no|cancelled)( {woe}|)", "not (happy|impressed|amused|looking forward to {day}|ok|excited) (about {topic}|with {who}|at all|)( {woe}|)",
        "{show} is not {good}( at all| anymore|, sorry|)", "{show} (isn't|wasn't) (even|that|) {good}( {woe}|)", "don't (bother with|waste your money on|watch|buy) {show}, it's {bad}", "{curse}(,|) {topic} (again|is {bad}|sucks)( {woe}|)", "{curse} {who}( {woe}|!|)",
        "{topic} sucks( {woe}|!| so bad|)", "{who} sucks( {woe}|!|)", "(great|oh great|just great|awesome|wonderful|perfect|lovely), (now|another|more) {topic} {woe}", "(oh joy|fantastic|brilliant|thanks a lot), {who} (broke|lost|forgot) my {thing}( {woe}|)", "thanks {who} for (ruining {show}|nothing|the sleepless night|making me late){woe}",
        "love (waiting|being ignored|paying) (for {number} hours|at {place}|by {who}) (said no one ever|...|#not)", "yeah right, {topic} is {good} (#sarcasm|🙄|#not|... not)", "{badtag} {topic}", "{topic} {day} {woe}", "{show} {day} {woe}", "{topic} {badtag}",
        "(another|yet another|one more) (loss|lie|delay|scandal|disaster|tragedy) (for {team}|at {place}|{day})( {woe}|)", "(how|why) can (anyone|people|you) (like|support|vote for|defend) {who}(?| {woe})", "{who} (may|might|could) be the (worst|dumbest|most corrupt) (ever|in years)( {woe}|)",
        "{topic} got me (crying|stressed|worried|angry)( {woe}|)", "i'm (scared|worried|afraid|nervous) (about|of) {topic}( {woe}|)", "cried (all night|at {place}|because of {who})( {woe}|)", "{who} (hurt|ignored|insulted|cheated|robbed|betrayed|scared) (me|us|{who})( {woe}|)",
        "{number} hours of {topic} and (i'm dying|still nothing|no end in sight){woe}", "(stop|quit) (talking about|ruining|with) {topic}(!| already| {woe}|)", "(it's|its) {day} (and|but) (i have to work|i'm sick|i'm alone|nobody cares|it's raining again)( {woe}|)",
    ),
    "neutral": (
        "{show} (is|starts|airs|opens|begins|will be) (on |){day} (at {place}|in {place}|)", "{show} {day} (at {place}|in {place}|on channel {number}|)( {link}|)", "{who} (will|is going to|plans to|is set to|may) (speak|play|appear|perform|visit) (in|at) {place} {day}( {link}|)",
        "(who|anyone) (is going to|going to|watching|seen|has tickets for|coming to) {show} {day}?", "(anyone|does anyone|who) (know|knows) (when|where|what time) {show} (is|starts|airs)?", "what time (is|does) {show} (on|start|end) {day}?", "(is|are) {who} (at|in|going to|from) {place} {day}?", "did (you|anyone|{who}) {verb} {show} {day}?",
        "(i'm|i am|we are|we're) (going to|at|heading to|off to|on my way to|back at) {place} {day}( with {who}|)", "(i|we) (may|might|will|should|think i'll) {verb} {show} {day}( with {who}|)", "(i|we) (have|had) {food} (at {place}|{day}|with {who}|for lunch)", "{who} and {who} (are|were) (at|in) {place} {day}",
        "(watching|listening to|reading|at) {show} (with {who}|at {place}|right now|)", "{who} (says|said|told {place}|announced|confirmed) {topic} (will|may|would) (change|be discussed|be decided|start) {day}( {link}|)", "(new|latest) (video|post|poll|photo|article|episode): {topic} (in|and|vs) {place} {link}",
        "(video|photo|photos|update|live|breaking|report): {who} (on|at|about) {topic}( {link}|)", "{team} (vs|at|-|play|face) {team} {day}( {link}|)", "{team} {number}, {team} {number}( at half time| final| after the break|)", "{team} (sign|trade|release|call up|name) (a|the) (new|) (coach|keeper|player|guard) {day}( {link}|)",
        "(how|where) (do|can|did) (i|you|we) (get|find|buy|change|download) (the|a|my) {thing}?", "(which|what) {thing} (do you|should i|did {who}) (use|have|buy|pick|get)?", "(do you|have you|did you) (ever|) {verb} {show}?", "{show} or {show} {day}?", "{food} or {food}?", "(should|shall) (i|we) {verb} {show} {day}?",
        "i (need|have) to (call|meet|email|ask) {who} (about {topic}|{day})", "{day} i (have|got) {topic} and then {show}", "(it's|it is) {day}( in {place}| already|)", "on my way to {place}( for {topic}| with {who}|)", "(just|) (landed|arrived|got) (in|at|to) {place}( for {show}|)",
        "(read|see|watch|check out|follow|listen to) {who} (on|about) {topic} (here|{day}|at {place}) {link}", "{who} (on|talks about|discusses|explains) {topic} {link}", "{topic} (and|vs|or) {topic}( {link}| {tag}|)", "{tag} {show} {day} {link}", "{show} {tag} {tag}",
        "(rt|via) @user: {show} (at|in) {place} {day} {link}", "{number} (facts|things|questions|ways|tips|reasons) (about|for|to know about) {topic} {link}", "(the|) {number} (largest|oldest|newest|most visited) (cities|museums|stadiums|schools) (in|near) {place} {link}", "{who} (was|is) (born|seen|spotted|interviewed|elected|hired) in {place}( {day}|)",
        "{topic} (is|was) the (topic|subject|question) (at|in) {place} {day}( {link}|)", "(remember|think) {who} (played|lived|worked|sang) (at|in|for) {place}", "(my|the) {thing} (is|was) (at|in|from) {place}", "{who} (has|had|bought|uses|sold) (a|the|my) {thing}( {day}|)", "(tickets|doors|sales|applications) (for {show} |)(open|close|end) {day}( {link}|)",
        "(we're|we are|now) hiring (a|) (driver|nurse|developer|cashier|manager) in {place} {link}", "(retweet|vote|comment|reply) (if|for) (you|{team}) (watch|are watching|prefer) {show}", "(i|we) (would|could|will) be at {place} (by|until|around) {number} {day}", "the {number}th of may (is|falls on) (a|) {day}", "{who} (told|asked|called|texted) {who} (about|before|after) {topic}",
        "{show} (ended|started|was recorded|was filmed) (in|at) {place} {day}", "so (is|was) {show} {day} or (next week|{day})?", "(not sure|idk|wondering|i wonder) (if|whether|when) {who} (is|will be) (at|in) {place} {day}", "{who}: i (may|might|will) (run|play|vote|return) {day}( {link}|)", "(according to|says) {who}, {topic} (may|will|could) (end|begin|continue) {day}",
        "{show} (was|is) (ok|okay|fine|average|so-so|alright)( i guess|, nothing special|)", "{show} (isn't|is not|wasn't) (good or bad|bad, just long)", "(if|when) {team} (play|plays) {day} (i'll|i will) (be|watch) (at|from) {place}", "{who} {link}", "{topic} {link}", "{show} {link}", "{day}: {show}, {topic}, {food}", "(what|how) about {show} {day}?", "(sun|rain|clouds|wind) in {place} {day}, {number} degrees",
    ),
}  # fmt: skip
