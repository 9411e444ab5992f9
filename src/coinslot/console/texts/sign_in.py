"""Texts of signing in, the first run, invitations, the account: English, Hindi, Russian."""

from typing import Final

from coinslot.console.texts.languages import Texts

TEXTS: Final[Texts] = {
    "sign_in": ("Sign in", "साइन इन", "Вход"),
    "sign_in_button": ("Sign in", "साइन इन करें", "Войти"),
    "sign_in_demo": ("In this demo", "इस डेमो में", "В этой демонстрации"),
    "sign_in_as": ("Sign in as {name}", "{name} के रूप में", "Войти как {name}"),
    "login": ("Login", "लॉगिन", "Логин"),
    "password": ("Password", "पासवर्ड", "Пароль"),
    "new_password": ("Password, at least 10 characters", "पासवर्ड, कम से कम 10 अक्षर",
                     "Пароль, не короче 10 знаков"),
    "code": ("Code of your app, or a recovery code", "ऐप का कोड, या रिकवरी कोड",
             "Код из приложения или код восстановления"),
    "second_title": ("One more proof", "एक और प्रमाण", "Ещё одно подтверждение"),
    "second_lead": (
        "Your account has a second factor. Show it to go on.",
        "आपके खाते में दूसरा प्रमाण है। आगे बढ़ने के लिए उसे दिखाएँ।",
        "У вашего аккаунта есть второй фактор. Подтвердите вход.",
    ),
    "use_passkey": ("Use a passkey", "पासकी इस्तेमाल करें", "Использовать ключ доступа"),
    "start_again": ("Start again", "फिर से शुरू करें", "Начать заново"),
    "which_title": ("For whom do you work now?", "अभी किसके लिए काम कर रहे हैं?",
                    "Для кого вы сейчас работаете?"),
    "go_on": ("Go on", "आगे बढ़ें", "Продолжить"),
    "input_kept": (
        "You were signed out meanwhile. What you had typed is kept: sign in, and it goes on.",
        "इस बीच आप साइन आउट हो गए। जो लिखा था वह रखा है: साइन इन करें, और काम जारी रहेगा।",
        "Сеанс тем временем закончился. Введённое сохранено: войдите, и работа продолжится.",
    ),
    "input_kept_proof": (
        "What you had typed is kept and goes on after this.",
        "जो लिखा था वह रखा है और इसके बाद जारी रहेगा।",
        "Введённое сохранено и будет отправлено после подтверждения.",
    ),
    "resume_title": ("You are signed in", "आप साइन इन हैं", "Вы вошли"),
    "resume_lead": (
        "What you were about to do was not done yet. Do it now?",
        "आप जो करने वाले थे वह अभी नहीं हुआ है। अब करें?",
        "То, что вы собирались сделать, ещё не сделано. Сделать сейчас?",
    ),
    "resume_go": ("Do it now", "अब करें", "Сделать"),
    "resume_not": ("Leave it", "रहने दें", "Не делать"),
    "step_up_title": ("Show that it is you", "दिखाएँ कि यह आप ही हैं", "Подтвердите, что это вы"),
    "step_up_lead": (
        "This needs a fresh proof, so that nobody can do it at a computer that was left open.",
        "इसके लिए ताज़ा प्रमाण चाहिए, ताकि खुले छोड़े गए कंप्यूटर पर कोई और यह न कर सके।",
        "Нужно свежее подтверждение, чтобы этого не сделал кто-то за оставленным компьютером.",
    ),
    "first_link_lead": (
        "Nobody has an account here yet. The first one is made with the link that the server"
        " printed where it was started. If it is lost, start the server again: it prints another.",
        "यहाँ अभी किसी का खाता नहीं है। पहला खाता उस लिंक से बनता है जो सर्वर ने शुरू होने पर छापा था। खो"
        " जाए तो सर्वर फिर शुरू करें: वह दूसरा छापता है।",
        "Здесь ещё ни у кого нет аккаунта. Первый создают по ссылке, которую сервер напечатал при"
        " запуске. Если она потеряна, запустите сервер снова: он напечатает другую.",
    ),
    "first_title": ("The first account", "पहला खाता", "Первый аккаунт"),
    "first_lead": (
        "It runs this installation. It is made once, with the link that the server printed.",
        "यह इस इंस्टॉलेशन को चलाता है। यह सर्वर के छापे लिंक से एक ही बार बनता है।",
        "Он управляет этой установкой. Создаётся один раз, по ссылке, которую вывел сервер.",
    ),
    "first_button": ("Make the account", "खाता बनाएँ", "Создать аккаунт"),
    "invitation_title": ("You are invited", "आपको न्योता मिला है", "Вас пригласили"),
    "invitation_lead": (
        "As {role}, under the address {address}. If you have an account with this login, give its"
        " password; else choose one.",
        "{role} के रूप में, पते {address} के साथ। इस लॉगिन का खाता हो तो उसका पासवर्ड दें;"
        " नहीं तो नया चुनें।",
        "Роль: {role}, адрес: {address}. Если аккаунт с таким логином уже есть, введите его пароль;"
        " иначе придумайте новый.",
    ),
    "invitation_code": (
        "Code of your app, if your account has one", "ऐप का कोड, अगर खाते में है",
        "Код из приложения, если он включён",
    ),
    "invitation_button": ("Accept", "स्वीकार करें", "Принять"),
    "invitation_none": (
        "This invitation is unknown, used, or too old. Ask for a new one.",
        "यह न्योता अज्ञात, इस्तेमाल किया हुआ या बहुत पुराना है। नया माँगें।",
        "Приглашение неизвестно, использовано или устарело. Попросите новое.",
    ),
    "done_signed_out": ("You are signed out.", "आप साइन आउट हैं।", "Вы вышли."),
    "done_session_ended": ("That sign-in is over.", "वह साइन-इन समाप्त है।", "Тот сеанс завершён."),
    "problem_invalid_credentials": (
        "Login or password is wrong.", "लॉगिन या पासवर्ड ग़लत है।", "Неверный логин или пароль.",
    ),
    "problem_invalid_code": (
        "This code is wrong, or was used before.", "यह कोड ग़लत है, या पहले इस्तेमाल हो चुका है।",
        "Код неверен или уже использован.",
    ),
    "problem_challenge_expired": (
        "This took too long: sign in from the start.", "बहुत देर हो गई: शुरू से साइन इन करें।",
        "Прошло слишком много времени: войдите заново.",
    ),
    "problem_too_many_tries": (
        "Too many tries failed. Wait a few minutes, then try again.",
        "बहुत सारी कोशिशें विफल रहीं। कुछ मिनट रुकें, फिर कोशिश करें।",
        "Слишком много неудачных попыток. Подождите несколько минут.",
    ),
    "problem_busy": (
        "Many sign in at this moment. Try again.", "इस समय बहुत लोग साइन इन कर रहे हैं। फिर कोशिश करें।",
        "Сейчас входят многие. Попробуйте ещё раз.",
    ),
    "problem_weak_password": (
        "This password is too short or too easy to guess: choose another one.",
        "यह पासवर्ड बहुत छोटा या आसान है: दूसरा चुनें।",
        "Пароль слишком короткий или простой: выберите другой.",
    ),
    "problem_no_membership": (
        "You work for nobody here any more.", "अब आप यहाँ किसी के लिए काम नहीं करते।",
        "Вы здесь больше ни у кого не работаете.",
    ),
    "problem_address_not_allowed": (
        "Not from this address: ask your admin.", "इस पते से नहीं: अपने एडमिन से पूछें।",
        "С этого адреса нельзя: обратитесь к администратору.",
    ),
    "problem_login_taken": (
        "Somebody has this login: choose another one.", "यह लॉगिन किसी और का है: दूसरा चुनें।",
        "Этот логин занят: выберите другой.",
    ),
    "problem_another_address": (
        "This invitation is for another address.", "यह न्योता दूसरे पते के लिए है।",
        "Приглашение выписано на другой адрес.",
    ),
    "problem_first_run_invalid_token": (
        "This link is not the one that was printed, or the account is made already.",
        "यह छापा हुआ लिंक नहीं है, या खाता पहले ही बन चुका है।",
        "Это не та ссылка, которую вывел сервер, либо аккаунт уже создан.",
    ),
    "problem_invitation_invalid_credentials": (
        "There is an account with this login, and this is not its password.",
        "इस लॉगिन का खाता है, और यह उसका पासवर्ड नहीं है।",
        "Аккаунт с таким логином есть, и пароль к нему другой.",
    ),
    "problem_invitation_second_factor_required": (
        "Your account has a second factor: type its code too.",
        "आपके खाते में दूसरा प्रमाण है: उसका कोड भी लिखें।",
        "У вашего аккаунта есть второй фактор: введите и код.",
    ),
    "account_title": ("Your account", "आपका खाता", "Ваш аккаунт"),
    "account_as": ("Signed in as", "साइन इन:", "Вы вошли как"),
    "account_for": ("Works for", "किसके लिए", "Работает для"),
    "account_role": ("Role", "भूमिका", "Роль"),
    "account_outlets": ("Machines", "मशीनें", "Автоматы"),
    "account_factors": ("Second factors", "दूसरे प्रमाण", "Вторые факторы"),
    "account_codes_left": ("Recovery codes left: {count}", "{count} रिकवरी कोड बाक़ी",
                           "осталось кодов восстановления: {count}"),
    "account_factor_missing": (
        "Your merchant asks for a second factor. Until you add one, nothing else is open.",
        "आपका व्यापारी दूसरा प्रमाण माँगता है। जोड़ने तक बाक़ी सब बंद है।",
        "Ваша организация требует второй фактор. Пока его нет, остальное закрыто.",
    ),
    "account_staff": (
        "Staff works at the machines above. Orders, machines and money are open to operators.",
        "स्टाफ़ ऊपर की मशीनों पर काम करता है। ऑर्डर, मशीनें और पैसे ऑपरेटरों के लिए हैं।",
        "Сотрудники работают с автоматами, указанными выше. Заказы и деньги видят операторы.",
    ),
    "places": ("Where you are signed in", "कहाँ-कहाँ साइन इन हैं", "Где вы вошли"),
    "place_here": ("here", "यहाँ", "здесь"),
    "place_used": ("last used", "आख़िरी बार", "последнее действие"),
    "place_end": ("End", "समाप्त करें", "Завершить"),
    "everywhere": ("Sign out everywhere", "सब जगह से साइन आउट", "Выйти везде"),
    "refused_title": ("Not possible", "संभव नहीं", "Невозможно"),
    "refused_forbidden": (
        "Your role may not do this. Ask an admin.", "आपकी भूमिका यह नहीं कर सकती। एडमिन से पूछें।",
        "Вашей роли это недоступно. Обратитесь к администратору.",
    ),
    "refused_second_factor_missing": (
        "Add a second factor first: your merchant asks for one.",
        "पहले दूसरा प्रमाण जोड़ें: आपका व्यापारी माँगता है।",
        "Сначала добавьте второй фактор: этого требует ваша организация.",
    ),
    "refused_cross_site": (
        "This was sent by another site's page, and nothing was done.",
        "यह किसी और साइट के पेज से आया, और कुछ नहीं किया गया।",
        "Это отправила страница другого сайта; ничего не сделано.",
    ),
    "refused_not_found": (
        "There is no such thing here.", "यहाँ ऐसा कुछ नहीं है।", "Такого здесь нет.",
    ),
    "refused_too_often": (
        "Too often. Wait a moment.", "बहुत बार। थोड़ा रुकें।", "Слишком часто. Подождите немного.",
    ),
    "refused_busy": (
        "Much is going on. Try again in a moment.", "बहुत काम चल रहा है। थोड़ी देर में कोशिश करें।",
        "Сейчас много работы. Попробуйте чуть позже.",
    ),
    "refused_form_changed": (
        "This page was sent before with other content. Load it again, and look whether it is done.",
        "यह पेज पहले दूसरी सामग्री के साथ भेजा जा चुका है। फिर से खोलें, और देखें कि काम हुआ या नहीं।",
        "Эта страница уже отправлялась с другим содержимым. Откройте её заново и проверьте.",
    ),
    "refused_form_running": (
        "The first click is still being worked. Look again in a moment.",
        "पहला क्लिक अभी चल रहा है। थोड़ी देर में फिर देखें।",
        "Первое нажатие ещё обрабатывается. Посмотрите чуть позже.",
    ),
    "refused_other": (
        "That did not work, and nothing was changed. Go back and try again.",
        "यह नहीं हो सका, और कुछ नहीं बदला। वापस जाकर फिर कोशिश करें।",
        "Не получилось, ничего не изменено. Вернитесь и попробуйте ещё раз.",
    ),
}  # fmt: skip
